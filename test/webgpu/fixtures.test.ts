import { beforeAll, describe, it } from 'vitest';
import { expectPublishedResults } from '../support/agreementBounds';
import { fixture } from '../support/fixture';
import { publishedFlows, type ReadFixtures } from '../support/publishedAgreement';
import { hasAdapter, shareOf } from './adapter';
import { activate } from './onBoth';

const read: ReadFixtures = async (folder, names) => names.map((name) => fixture(`${folder}/${name}`));

describe.skipIf(!hasAdapter)('published flows on webgpu', () => {
  beforeAll(() => activate('webgpu'));

  it.each(shareOf(publishedFlows))('%s', async (name) => {
    expectPublishedResults(await publishedFlows[name](read));
  });
});
