/** Numbers on the wire of SegInt's clients: landmarks all along each list, so that an insertion anywhere is found. */
import { expect, it } from 'vitest';
import { bodyPartsExamined, genderTypes, modalityTypes, regulatoryStatuses, structureTypes } from './enums.js';

it.each([
  [modalityTypes, { CT: 0, CTA: 1, MR_T1: 2, MR_T2: 3, MR_GAD: 4, MR_FLAIR: 5, PET: 6 }],
  [genderTypes, { Male: 0, Female: 1, Any: 2 }],
  [structureTypes, { External: 0, Organ: 1, Unknown: 2 }],
  [regulatoryStatuses, { Clinical: 0, Investigational: 1, Recalled: 2, Withdrawn: 3 }],
])('each word of a short list has its number', (list, numbers) => {
  expect(Object.fromEntries([...list].map((word, number) => [word, number]))).toEqual(numbers);
});

it.each([
  ['Abdomen', 0],
  ['Bronchus', 10],
  ['Chest', 20],
  ['Ear', 30],
  ['Foot', 40],
  ['IAC', 50],
  ['Lung', 60],
  ['Ovary', 70],
  ['SSPine', 80],
  ['Stomach', 90],
  ['Toe', 100],
  ['Zygoma', 110],
] as const)('the body part %s is %i, and there are 111', (word, number) => {
  expect(bodyPartsExamined.indexOf(word)).toBe(number);
  expect(new Set(bodyPartsExamined).size).toBe(111);
});
