import { setImmediate as nextTurn } from 'node:timers/promises';

/** Lets others have their turn of the event loop. Long work takes it as an argument, so that tests can count the turns. */
export type GiveTurn = () => Promise<void>;

/** Resolves once all that is ready to run has run. */
export const giveTurn: GiveTurn = () => nextTurn();

/** Work in small steps, between which others can have their turn. No step waits for anything. */
export type Steps<Result> = Generator<void, Result, void>;

/** Does all steps, and gives a turn whenever `pace` says so, which counts them. */
export async function doInTurns<Result>(steps: Steps<Result>, pace: Pace): Promise<Result> {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    if (pace.isDue(1)) await pace.giveTurn();
  }
}

/**
 * Tells long work when others have waited enough.
 * @example if (pace.isDue(piece.length)) await pace.giveTurn();
 */
export class Pace {
  readonly giveTurn: GiveTurn;
  readonly #unitsPerTurn: number;
  #units = 0;

  /** `unitsPerTurn`: the work between two turns, in any unit, such as bytes. */
  constructor(unitsPerTurn: number, turn: GiveTurn = giveTurn) {
    this.#unitsPerTurn = unitsPerTurn;
    this.giveTurn = turn;
  }

  /** Counts finished work; true when it is somebody else's turn. */
  isDue(units: number): boolean {
    this.#units += units;
    if (this.#units < this.#unitsPerTurn) return false;
    this.#units = 0;
    return true;
  }
}
