/** Attributes to and from their ONNX messages. */
import { create } from '@bufbuild/protobuf';
import { GraphError } from '../errors/graph-error.js';
import { type Attribute, realAttributes } from '../graph/attributes.js';
import { type AttributeProto, AttributeProtoSchema, AttributeProto_AttributeType as Type } from './onnx.generated.js';
import { readTensor, tensorProto } from './tensor-proto.js';

const utf8 = new TextEncoder();
const text = new TextDecoder();

export function attributeProto(name: string, value: Attribute): AttributeProto {
  const real = realAttributes.has(name);
  if (typeof value === 'string')
    return create(AttributeProtoSchema, { name, type: Type.STRING, s: utf8.encode(value) });
  if (typeof value === 'number')
    return real
      ? create(AttributeProtoSchema, { name, type: Type.FLOAT, f: value })
      : create(AttributeProtoSchema, { name, type: Type.INT, i: BigInt(value) });
  if ('dtype' in value) return create(AttributeProtoSchema, { name, type: Type.TENSOR, t: tensorProto('', value) });
  return real
    ? create(AttributeProtoSchema, { name, type: Type.FLOATS, floats: [...value] })
    : create(AttributeProtoSchema, { name, type: Type.INTS, ints: value.map(BigInt) });
}

export function readAttribute(proto: AttributeProto, where: string): Attribute {
  switch (proto.type) {
    case Type.FLOAT:
      return proto.f;
    case Type.INT:
      return Number(proto.i);
    case Type.STRING:
      return text.decode(proto.s);
    case Type.FLOATS:
      return proto.floats;
    case Type.INTS:
      return proto.ints.map(Number);
    case Type.TENSOR:
      if (proto.t) return readTensor(proto.t, where);
  }
  throw new GraphError('wrong-attribute', `Attribute ${proto.name} of "${where}" has a kind that is not supported`, {
    where,
  });
}
