import { damagedDatasets, datasetCatalogue } from '@fidelis/data';
import type { DatasetKnowledge } from '../spec/dataset-checks.js';

/** The datasets of this machine. What is wrong with a damaged one is told by whoever opens it. */
export function datasetsHere(): DatasetKnowledge {
  return { known: datasetCatalogue(), unjudged: damagedDatasets().map(({ name }) => name) };
}

/** Of a stack elsewhere: it has the datasets that come with Fidelis, and what else it has, its gateway knows. */
export function datasetsElsewhere(): DatasetKnowledge {
  return { known: datasetCatalogue().filter(({ origin }) => origin === 'bundled'), othersMayBe: true };
}
