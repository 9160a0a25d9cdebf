/** How answers look: protobuf or JSON by the Accept header (specs/protocols.md 3.1), and what the fixed ones say. */
import {
  create,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  ApiInformationSchema,
  CreditsSchema,
  VendorStatus_VendorServiceStatus,
  VendorStatusSchema,
} from '../../registry/segint/messages/Model.generated.js';

export type Mode = 'compat' | 'strict';

export const PROTOBUF = 'application/x-protobuf';
export const JSON_TYPE = 'application/json';
const HTML = 'text/html; charset=utf-8';
export const POSTED = 'POST successful.';

const CREDITS = 100_000;
const NOTICE = 'Research server: credits are not counted.';

/** The old server took the one value and nothing else; strict mode reads the header as HTTP means it. */
export function wantsProtobuf(request: FastifyRequest, mode: Mode): boolean {
  const { accept } = request.headers;
  if (mode === 'compat') return accept === PROTOBUF;
  return (accept ?? '').split(',').some((part) => {
    const [type, ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    return type === PROTOBUF && !parameters.some((text) => /^q=0(?:\.0*)?$/.test(text));
  });
}

/** Clients of the old server compare its strange label. */
export function protobufType(mode: Mode): string {
  return mode === 'compat' ? HTML : PROTOBUF;
}

/** Bytes, because Fastify would add a charset to JSON text that the old server does not have. */
export function send<Desc extends DescMessage>(
  request: FastifyRequest,
  reply: FastifyReply,
  mode: Mode,
  desc: Desc,
  message: MessageShape<Desc>,
): FastifyReply {
  const binary = wantsProtobuf(request, mode);
  const body = binary
    ? Buffer.from(toBinary(desc, message))
    : Buffer.from(JSON.stringify(toJson(desc, message, { useProtoFieldName: true })));
  return reply.header('content-type', binary ? protobufType(mode) : JSON_TYPE).send(body);
}

export function sendText(reply: FastifyReply, text: string): FastifyReply {
  return reply.header('content-type', HTML).send(Buffer.from(text));
}

export function apiInformation(mode: Mode, version: string): MessageShape<typeof ApiInformationSchema> {
  const name = mode === 'compat' ? '0.0.1 Research Server Development Test' : `Isocenter ${version}`;
  return create(ApiInformationSchema, { Version: name });
}

export function credits(): MessageShape<typeof CreditsSchema> {
  return create(CreditsSchema, {
    TotalCredits: CREDITS,
    DisplayCreditsWarning: true,
    CreditsWarningMessage: NOTICE,
    LanguageCode: 'English',
  });
}

/** `address`: under which the client reached us, such as `http://10.1.2.3:8000`. */
export function vendorStatus(address: string): MessageShape<typeof VendorStatusSchema> {
  const fields: MessageInitShape<typeof VendorStatusSchema> = {
    TotalCredits: CREDITS,
    LowCreditsWarningMessage: NOTICE,
    ClientCountryCode: 'US',
    SegmentationServiceStatus: VendorStatus_VendorServiceStatus.Available,
    SegmentationServiceUrl: `${address}/api/v2/`,
    AvailableSegmentationServiceLocations: ['US'],
    VendorName: 'Research Server',
    LanguageCode: 'en-US',
  };
  return create(VendorStatusSchema, fields);
}
