export * from './failure.js';
export * from './geometry.js';
export * from './progress.js';
export * from './segmentation.js';
export * from './volume.js';
