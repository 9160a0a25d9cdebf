/** Ids come from strangers: what has not the form of ours is not looked up, because PostgreSQL would refuse the cast. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}
