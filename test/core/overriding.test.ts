import { expect, it } from 'vitest';
import { isNewer, isOwn } from '../../src/core/overriding';

class Base {
  hook(): number {
    return 1;
  }
  get value(): number {
    return 1;
  }
  other(): number {
    return 1;
  }
}
class Same extends Base {}
class Method extends Same {
  override hook(): number {
    return 2;
  }
}
class Getter extends Base {
  override get value(): number {
    return 2;
  }
}

it('a hook is its own until a subclass or the object itself replaces it', () => {
  expect(isOwn(new Base(), Base, 'hook', 'value')).toBe(true);
  expect(isOwn(new Same(), Base, 'hook', 'value')).toBe(true);
  expect(isOwn(new Method(), Base, 'hook')).toBe(false);
  expect(isOwn(new Method(), Base, 'other', 'value')).toBe(true);
  expect(isOwn(new Method(), Base, 'other', 'hook')).toBe(false);
  expect(isOwn(new Getter(), Base, 'value')).toBe(false);
  const patched = new Base();
  patched.hook = () => 3;
  expect(isOwn(patched, Base, 'hook')).toBe(false);
  expect(isOwn(patched, Base, 'other')).toBe(true);
});

it('what the owner never had is not its own', () => {
  expect(isOwn(new Base(), Base, 'unheardOf')).toBe(false);
});

it('a hook is newer than another that a class before defined, not than one of the same class', () => {
  expect(isNewer(new Method(), 'hook', 'other')).toBe(true);
  expect(isNewer(new Method(), 'other', 'hook')).toBe(false);
  expect(isNewer(new Same(), 'hook', 'other')).toBe(false);
  const patched = new Same();
  patched.other = () => 3;
  expect(isNewer(patched, 'other', 'hook')).toBe(true);
});
