import { Controller, Inject } from '@nestjs/common';
import { OnRpc } from '@fidelis/bus';
import { referencesRpc, type RpcResponse } from '@fidelis/contracts';
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
      manager.find(TeacherRow, { select: { id: true, memberWeights: true } }),
      manager.find(PredictionTableRow),
    ]);
    const named = [
      ...teachers.flatMap(({ memberWeights }) => memberWeights ?? []),
      ...tables.flatMap(({ artifact }) => (artifact === null ? [] : [artifact])),
    ];
    return { artifacts: [...new Set(named)] };
  }
}
