/** SegInt's feedback and telemetry in the words of feedback/. */
import type { FeedbackFields, Origin, TelemetryError, TelemetryFields } from '../../feedback/feedback.js';
import {
  SegmentationTelemetry_ClientErrorType as ClientError,
  type DoubleValue,
  type SegmentationFeedback,
  type SegmentationTelemetry,
} from '../../registry/segint/messages/Model.generated.js';

/** Ids and versions are short; what is longer was never one of ours. */
const LONGEST_ID = 200;

const NUL = String.fromCharCode(0);

const short = (text: string): string => text.replaceAll(NUL, '').slice(0, LONGEST_ID);

type About = Pick<Origin, 'job' | 'model' | 'client'>;

export function aboutFeedback({ SegmentationID, ClientInformation }: SegmentationFeedback): About {
  return {
    ...(SegmentationID === '' ? {} : { job: short(SegmentationID) }),
    ...(ClientInformation ? { client: short(ClientInformation.SoftwareVersion) } : {}),
  };
}

export function feedbackFields(message: SegmentationFeedback): FeedbackFields {
  return {
    accepted: message.SegmentationAccepted,
    ...(message.GeneralComments === '' ? {} : { comments: message.GeneralComments }),
    ...scoreOf(message.GeneralScore),
    structures: message.StructureComments.map(({ StructureID, Comments, Score }) => ({
      structure: StructureID,
      ...(Comments === '' ? {} : { comments: Comments }),
      ...scoreOf(Score),
    })),
  };
}

/** A missing score stays missing; what is no number cannot be one. */
function scoreOf(score: DoubleValue | undefined): { readonly score?: number } {
  return score && Number.isFinite(score.Value) ? { score: score.Value } : {};
}

const ERRORS: Readonly<Record<number, TelemetryError>> = {
  [ClientError.None]: 'none',
  [ClientError.ConnectionError]: 'connection',
  [ClientError.InternalClientError]: 'internal',
  [ClientError.ProgressTimeout]: 'timeout',
};

export function aboutTelemetry({ SegmentationID, ModelID, ClientInformation }: SegmentationTelemetry): About {
  return {
    ...(SegmentationID === '' ? {} : { job: short(SegmentationID) }),
    ...(ModelID === '' ? {} : { model: short(ModelID) }),
    ...(ClientInformation ? { client: short(ClientInformation.SoftwareVersion) } : {}),
  };
}

export function telemetryFields(message: SegmentationTelemetry): TelemetryFields {
  return {
    uploadMs: message.UploadTimeInMilliseconds,
    waitMs: message.SegmentationWaitInMilliseconds,
    downloadMs: message.SegmentationDownloadInMilliseconds,
    retries: message.NumberOfRetries,
    error: ERRORS[message.ClientError] ?? 'internal',
    ...(message.ClientErrorInformation === '' ? {} : { errorInformation: message.ClientErrorInformation }),
  };
}
