import type { EventContract, JobContract, RpcContract } from '@fidelis/contracts';
import { UseFilters } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import type { z } from 'zod';
import type { PredictionPart } from '../predictions/prediction-message.js';
import {
  HANDLER_EXTRA,
  patternOf,
  type DurableOptions,
  type HandlerDefinition,
  type JobOptions,
} from './handler-definition.js';
import type { MessageContext } from './message-context.js';
import { RpcErrorFilter } from './rpc-error-filter.js';
import { BUS_TRANSPORT } from './transport.js';

export type Handler<Input, Output> = (payload: Input, context: MessageContext) => Output | Promise<Output>;

/** A decorator for methods `(payload, context)` of this type, and for no other. */
export type HandlerDecorator<Input, Output> = <Method extends Handler<Input, Output>>(
  target: object,
  key: string,
  descriptor: TypedPropertyDescriptor<Method>,
) => void;

/** Answers to an rpc; instances of a service share the calls. A thrown FidelisError reaches the caller as it is. */
export function OnRpc<Request extends z.ZodType, Response extends z.ZodType>(
  contract: RpcContract<Request, Response>,
): HandlerDecorator<z.output<Request>, z.input<Response>> {
  return handles({ kind: 'rpc', contract });
}

/**
 * Handles each event once per durable, also those of the time before the durable existed (as far as the stream reaches back).
 * Success acknowledges; see JetStreamStrategy for what errors do.
 */
export function OnEvent<Schema extends z.ZodType>(
  contract: EventContract<Schema>,
  options: DurableOptions,
): HandlerDecorator<z.output<Schema>, void> {
  return handles({ kind: 'event', contract, options });
}

/** Takes one job at a time. What takes longer than ack_wait goes through `whileWorking`, or calls `context.working()` as it advances. */
export function OnJob<Schema extends z.ZodType>(
  contract: JobContract<Schema>,
  options: JobOptions,
): HandlerDecorator<z.output<Schema>, void> {
  return handles({ kind: 'job', contract, options });
}

/** Handles predictions to score, part by part; a message is removed when its handler has succeeded. */
export function OnPredictions(options: DurableOptions): HandlerDecorator<PredictionPart, void> {
  return handles({ kind: 'predictions', options });
}

function handles<Input, Output>(definition: HandlerDefinition): HandlerDecorator<Input, Output> {
  return (target, key, descriptor) => {
    // Without them Nest passes the payload alone.
    Payload()(target, key, 0);
    Ctx()(target, key, 1);
    const method: PropertyDescriptor = descriptor;
    MessagePattern(patternOf(definition), BUS_TRANSPORT, { [HANDLER_EXTRA]: definition })(
      target,
      key,
      method,
    );
    UseFilters(RpcErrorFilter)(target, key, method);
  };
}
