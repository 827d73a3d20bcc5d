import { Controller, Inject } from '@nestjs/common';
import { OnRpc } from '@fidelis/bus';
import { isGiven, referencesRpc, type RpcResponse } from '@fidelis/contracts';
import { DataSource } from 'typeorm';
import { PredictionTableRow } from '../scoring/prediction-table.entity.js';
import { TeacherRow } from '../teachers/teacher.entity.js';

/** Which artifacts teachers live on: without them a collection of garbage would take the weights away. */
@Controller()
export class ReferencesController {
  constructor(@Inject(DataSource) private readonly dataSource: DataSource) {}

  @OnRpc(referencesRpc)
  async references(): Promise<RpcResponse<typeof referencesRpc>> {
    const { manager } = this.dataSource;
    const [teachers, tables] = await Promise.all([
      manager.find(TeacherRow, { select: { id: true, spec: true, memberWeights: true } }),
      manager.find(PredictionTableRow),
    ]);
    const named = [
      ...teachers.flatMap(artifactsOf),
      ...tables.flatMap(({ artifact }) => (artifact === null ? [] : [artifact])),
    ];
    return { artifacts: [...new Set(named)] };
  }
}

function artifactsOf({ spec, memberWeights }: Pick<TeacherRow, 'spec' | 'memberWeights'>): readonly string[] {
  if (!isGiven(spec)) return memberWeights ?? [];
  if (spec.kind === 'archive') return spec.files.map(({ digest }) => digest);
  return spec.testLogits === null ? [spec.logits] : [spec.logits, spec.testLogits];
}
