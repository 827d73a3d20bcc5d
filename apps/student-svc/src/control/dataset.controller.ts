import { Controller, Inject } from '@nestjs/common';
import { OnRpc } from '@fidelis/bus';
import { datasetRpc, type RpcRequest, type RpcResponse } from '@fidelis/contracts';
import { DatasetArchives } from './dataset-archives.js';

@Controller()
export class DatasetController {
  constructor(@Inject(DatasetArchives) private readonly archives: DatasetArchives) {}

  @OnRpc(datasetRpc.locate)
  async locate(
    dataset: RpcRequest<typeof datasetRpc.locate>,
  ): Promise<RpcResponse<typeof datasetRpc.locate>> {
    return { archive: await this.archives.locate(dataset) };
  }
}
