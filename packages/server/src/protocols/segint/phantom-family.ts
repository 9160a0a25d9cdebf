/**
 * The family that SegInt-R ships to test connections (specs/protocols.md 3.7), in the words of its clients; ours is the model
 * `Phantom`. The two descriptions are worded by us, in the length that the old ones have together. Fills the registry's fields once, as the old server filled them from its file.
 */
import { create, toBinary } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { bodyPartsExamined, genderTypes, modalityTypes, structureTypes } from '../../registry/enums.js';
import { ModelFamilySchema } from '../../registry/segint/messages/Model.generated.js';

const SPACING_MM = { X: 0.7, Y: 0.7, Z: 1 };
const ONE = { X: 1, Y: 1, Z: 1 };

export function phantomFamily(): Uint8Array {
  const family = create(ModelFamilySchema, {
    CanonicalName: 'Centered Square',
    FamilyDescription: {
      Name: 'Centered Square Mock Models',
      Description: 'Draws a square block in the middle of any image: for tests of connections',
      ClinicalDomain: 'IO',
      AnatomicalRegion: 'THORAX',
      PrimaryStructure: 'Liver',
      Modalities: 'CT',
      InputChannels: [
        {
          ChannelID: '1',
          Constraints: {
            AcceptedModalities: [modalityTypes.indexOf('CT')],
            SpacingMinInMillimeters: SPACING_MM,
            SpacingMaxInMillimeters: SPACING_MM,
            DimensionsMinInPixels: ONE,
            DimensionsMaxInPixels: ONE,
            OriginalDataRequired: true,
            IsAxial: true,
          },
        },
      ],
      Constraints: {
        BodyPartsExamined: [bodyPartsExamined.indexOf('Abdomen')],
        Gender: genderTypes.indexOf('Any'),
      },
    },
    ModelVersions: [
      {
        ID: 'Centered Orange Square',
        VersionDescription: 'One orange block that has the name liver',
        CreatedOn: timestampFromDate(new Date('2020-07-28T14:42:10Z')),
        Structures: [
          {
            Name: 'liver',
            Color: { R: 255, G: 120, B: 0 },
            Type: structureTypes.indexOf('Organ'),
            FMACode: 4567,
            InputChannelID: '1',
            StructureID: '1',
          },
        ],
        MajorVersion: 0,
        MinorVersion: 1,
        LanguageCode: 'en',
      },
    ],
    LanguageCode: 'en',
  });
  return toBinary(ModelFamilySchema, family);
}
