/**
 * The closed lists of SegInt's protobuf schema that a model's fields use. The place in each list is the number on the
 * wire, so nothing may be inserted or reordered.
 */

export const modalityTypes = ['CT', 'CTA', 'MR_T1', 'MR_T2', 'MR_GAD', 'MR_FLAIR', 'PET'] as const;
export const genderTypes = ['Male', 'Female', 'Any'] as const;
export const structureTypes = ['External', 'Organ', 'Unknown'] as const;
export const regulatoryStatuses = ['Clinical', 'Investigational', 'Recalled', 'Withdrawn'] as const;

// biome-ignore format: ten to a row, so that a number is found by its row
export const bodyPartsExamined = [
  'Abdomen', 'AbdomenPelvis', 'Adrenal', 'Ankle', 'Aorta', 'Axilla', 'Back', 'Bladder', 'Brain', 'Breast',
  'Bronchus', 'Buttock', 'Calcaneus', 'Calf', 'Carotid', 'Cerebellum', 'Cspine', 'CtSpine', 'Cervix', 'Cheek',
  'Chest', 'ChestAbdomen', 'ChestAbdomenPelvis', 'CircleOfWillis', 'Clavicle', 'Coccyx', 'Colon', 'Cornea', 'CoronaryArtery', 'Duodenum',
  'Ear', 'Elbow', 'WholeBody', 'Esophagus', 'Extremity', 'Eye', 'Eyelid', 'Face', 'Femur', 'Finger',
  'Foot', 'Gallbladder', 'Hand', 'Head', 'HeadNeck', 'Heart', 'Hip', 'Humerus', 'Ileum', 'Ilium',
  'IAC', 'Jaw', 'Jejunum', 'Kidney', 'Knee', 'Larynx', 'Liver', 'Leg', 'LSpine', 'LSSpine',
  'Lung', 'Maxilla', 'Mediastinum', 'Mouth', 'Neck', 'NeckChest', 'NeckChestAbdomen', 'NeckChestAbdomenPelvis', 'Nose', 'Orbit',
  'Ovary', 'Pancreas', 'Parotid', 'Patella', 'Pelvis', 'Penis', 'Pharynx', 'Prostate', 'Rectum', 'Rib',
  'SSPine', 'Scalp', 'Scapula', 'Sclera', 'Scrotum', 'Shoulder', 'Skull', 'Spine', 'Spleen', 'Sternum',
  'Stomach', 'SumMandibular', 'TMJoint', 'Testis', 'Thigh', 'TSpine', 'TLSpine', 'Thumb', 'Thymus', 'Thyroid',
  'Toe', 'Tongue', 'Trachea', 'Arm', 'Ureter', 'Urethra', 'Uterus', 'Vagina', 'Vulva', 'Wrist',
  'Zygoma',
] as const;

export type ModalityType = (typeof modalityTypes)[number];
export type GenderType = (typeof genderTypes)[number];
export type StructureType = (typeof structureTypes)[number];
export type BodyPartExamined = (typeof bodyPartsExamined)[number];
