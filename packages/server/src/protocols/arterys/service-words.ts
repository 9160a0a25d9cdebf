/** The two fixed answers of the service: upstream's clients look for the first word by word. */
export const READY = 'READY';
export const PING = 'The inference service of this address is up now.\n';
