import { ConfigError, complaint } from '../../core/errors';
import { named } from '../../core/numbers';
import { dot } from '../../statistics/covariance';
import { toVector, type VectorInput } from '../../statistics/inputs';
import type { Verdict } from '../mixing';

/** Whether a mixture of subclasses is near normal along a direction; a report of `mixedNormality` made `along` one is such. */
export interface NearNormality {
  nearNormal: Verdict;
  /** Direction that positions were taken along, [d], of any length. */
  along: VectorInput | null;
}

const VERDICTS: readonly Verdict[] = ['supported', 'not supported', 'undecided'];
/** 1 - cosine of directions that are the same but for rounding in float32 or to five digits. */
const ROUNDING = 1e-8;

/**
 * The verdict on near-normality of positions along `direction`: that of the report made along it.
 *
 * @throws ConfigError for what is no report, for a report of columns and for reports of other directions only
 */
export function nearNormalityAlong(
  where: string,
  mixing: NearNormality | readonly NearNormality[],
  direction: Float64Array,
): Verdict {
  const reports: readonly NearNormality[] = Array.isArray(mixing) ? mixing : [mixing];
  let closest = 0;
  for (const report of reports) {
    const cosine = Math.abs(cosineTo(where, report, direction));
    if (1 - cosine <= ROUNDING) return report.nearNormal;
    closest = Math.max(closest, cosine);
  }
  throw new ConfigError(
    complaint(
      where,
      'a report of mixedNormality along this direction',
      reports.length === 0 ? 'none' : `one along another (cosine ${closest.toFixed(4)})`,
      'Make it with mixedNormality(labeled, { along: direction }).',
    ),
  );
}

function cosineTo(where: string, report: NearNormality, direction: Float64Array): number {
  if (!VERDICTS.includes(report?.nearNormal)) {
    const hint = 'What you know without one is said by assumeNearNormal: true.';
    throw new ConfigError(
      complaint(where, 'mixing to be a report of mixedNormality', named(report)[0], hint),
    );
  }
  if (report.along === null || report.along === undefined) {
    throw new ConfigError(
      complaint(
        where,
        'a report of mixedNormality along this direction',
        'one of columns, which remembers none',
        'Make it with mixedNormality(labeled, { along: direction }).',
      ),
    );
  }
  const along = toVector(`${where} (mixing)`, report.along, direction.length);
  return dot(along, direction) / Math.sqrt(dot(along, along) * dot(direction, direction));
}
