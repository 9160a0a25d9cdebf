/**
 * Which ONNX we write and read. Opset 18 with IR 8 (end of 2022) is PyTorch's own default for export, is read by every ONNX
 * Runtime since 1.14, and is the first with axes of all reductions as inputs; nothing here needs a later one (Gelu of
 * opset 20 is composed, ONNX Runtime fuses it; GroupNormalization was broken until 21 and is composed from instance norm).
 */
export const IR_VERSION = 8n;
export const OPSET = 18n;

/** Models of these opsets can be read: 13 brought the input forms that the shape rules expect; above 21 nobody has looked. */
export const OLDEST_OPSET = 13n;
export const NEWEST_OPSET = 21n;

/** protobuf's own limit for one message: larger models need external data, which is not written here. */
export const LARGEST_MODEL_BYTES = 2 ** 31 - 1;
