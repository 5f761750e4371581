/** One value for each object, as long as the object lives: created with the first call for it. */
export function oncePer<Owner extends object, Value>(create: (owner: Owner) => Value): (owner: Owner) => Value {
  const values = new WeakMap<Owner, Value>();
  return (owner) => {
    const value = values.has(owner) ? (values.get(owner) as Value) : create(owner);
    values.set(owner, value);
    return value;
  };
}
