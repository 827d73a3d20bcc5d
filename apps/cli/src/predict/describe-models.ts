import { inputDimensions } from '@fidelis/data';
import { modelCatalogue, type CatalogueEntry } from '@fidelis/models';
import { renderTable } from '../render/table.js';
import type { Style } from '../render/style.js';
import { whole } from '../render/figures.js';

interface ModelsDocument {
  readonly models: readonly CatalogueEntry[];
}

export function describeModels(style: Style): {
  readonly document: ModelsDocument;
  readonly text: () => string;
} {
  const models = modelCatalogue();
  const text = (): string =>
    renderTable(
      [
        { title: 'model' },
        { title: 'takes' },
        { title: 'for' },
        { title: 'classes', align: 'right' },
        { title: 'parameters', align: 'right' },
        { title: 'what it is' },
      ],
      models.map((model) => [
        model.name,
        model.takes,
        inputDimensions(model.inputShape).join('×'),
        whole(model.classes),
        whole(model.parameters),
        model.description,
      ]),
      style,
    );
  return { document: { models }, text };
}
