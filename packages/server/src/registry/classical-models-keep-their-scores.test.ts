/** Models that scikit-learn and XGBoost exported, as their exporters write them: checked, named, and with the scores they had in Python. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle, loadOnnx } from '@isocenter/engine';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithPython } from '../../../../tools/test/needs.js';
import { SCIENTIST, scratch, type TestRegistry, testRegistry } from './test-registry.suite.js';

const root = scratch();
let test: TestRegistry;

beforeAll(async () => {
  test = await testRegistry();
});
afterAll(async () => {
  await test.close();
  root.remove();
});

interface Trained {
  readonly row: readonly number[];
  readonly models: Readonly<
    Record<string, { readonly scores: readonly number[]; readonly classes?: readonly string[] }>
  >;
}

const START = `
import json, sys
import numpy as np
folder = sys.argv[1]
rng = np.random.default_rng(0)
X = rng.normal(size=(300, 5)).astype(np.float32)
words = np.where(X[:, 0] + X[:, 1] > 0, 'malignant', 'benign')
numbers = (X[:, 0] > 0).astype(int)
models = {}
def keep(name, model, onnx):
    open(f'{folder}/{name}.onnx', 'wb').write(onnx.SerializeToString())
    proba = hasattr(model, 'predict_proba')
    models[name] = {'scores': np.ravel(model.predict_proba(X[:1]) if proba else model.predict(X[:1])).tolist()}
    if proba: models[name]['classes'] = [str(c) for c in model.classes_]
`;
const END = `
json.dump({'row': X[0].tolist(), 'models': models}, open(f'{folder}/trained.json', 'w'))
`;
const SCIKIT = `
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
for name, model, target in [
    ('forest', RandomForestClassifier(20, random_state=0), words),
    ('pipeline', make_pipeline(StandardScaler(), LogisticRegression()), words),
    ('numbers', RandomForestClassifier(5, random_state=0), numbers),
    ('boosted', GradientBoostingRegressor(n_estimators=20, random_state=0), X[:, 0] * 3)]:
    model.fit(X, target)
    keep(name, model, convert_sklearn(model, initial_types=[('input', FloatTensorType([None, 5]))]))
`;
const XGBOOST = `
import xgboost
from onnxmltools import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
model = xgboost.XGBClassifier(n_estimators=10).fit(X, numbers)
keep('xgboost', model, convert_xgboost(model, initial_types=[('input', FloatTensorType([None, 5]))]))
`;

async function compare(python: string, training: string): Promise<void> {
  execFileSync(python, ['-W', 'ignore', '-c', START + training + END, root.path], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const trained = JSON.parse(readFileSync(join(root.path, 'trained.json'), 'utf8')) as Trained;
  for (const [name, { scores, classes }] of Object.entries(trained.models)) {
    const form = { name, version: '1', kind: classes ? 'classification' : 'regression' };
    const version = await test.registry.add(join(root.path, `${name}.onnx`), { form }, SCIENTIST);
    expect(version.takes, name).toBe('features');
    expect(version.classes, name).toEqual(classes ?? ['value 0']);
    const { folder } = await test.registry.materialise(version.id);
    expect((await loadBundle(folder)).weightsHash).toBe(version.weightsSha256);
    const runtime = await loadOnnx(join(folder, 'models/model.onnx'), { threads: 1 });
    const input = { data: Float32Array.from(trained.row), dims: [1, trained.row.length] };
    const answers = await runtime.run({ [runtime.inputs[0].name]: input });
    await runtime.close();
    const last =
      answers[
        runtime.outputs
          .map((port) => port.name)
          .filter((port) => answers[port])
          .at(-1) as string
      ];
    expect(last.data.length, name).toBe(scores.length);
    for (const [at, score] of scores.entries()) expect(last.data[at], name).toBeCloseTo(score, 4);
  }
}

/** Importing scikit-learn and training takes a while on a busy machine. */
const PATIENCE = 300_000;

describeWithPython(['sklearn', 'skl2onnx'], 'scikit-learn', (python) => {
  it('classifiers, pipelines and regressors', () => compare(python, SCIKIT), PATIENCE);
});

describeWithPython(['xgboost', 'onnxmltools'], 'XGBoost', (python) => {
  it('classifiers', () => compare(python, XGBOOST), PATIENCE);
});
