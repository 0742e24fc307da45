/**
 * The stage contract. A stage is a folder with `meta.ts` (data) and `stage.ts` (code), and has up to three parts:
 * `analyze` looks at a shot, `timeline` decides which frames there are, `render` makes one. Types only; the prose is in
 * `src/stages/README.md`.
 */

import type { ColorTags, Size } from '../core/color.ts';
import type { Timeline, TimelineFrame } from '../core/timeline.ts';
import type { Phrase } from '../core/phrases.ts';
import type { Rational } from '../core/rational.ts';
import type { Shot } from '../core/shots.ts';
import type { Compute, Picture } from './compute.ts';
import type { FrameRange, OnProgress } from './frames.ts';
import type { ModelRuntime } from './models.ts';

/** A number with a range. `auto` allows the value `"auto"`: the stage estimates it. */
export interface NumberParam {
	readonly type: 'number';
	readonly default: number | 'auto';
	readonly auto?: boolean;
	readonly min: number;
	readonly max: number;
	readonly step: number;
	/** Unit for people: `8-bit code values`, `×`, `%`, `fps`. Empty when dimensionless. */
	readonly unit: string;
	readonly doc: string;
}

/** A choice among named values. */
export interface EnumParam {
	readonly type: 'enum';
	readonly default: string;
	readonly values: readonly { readonly value: string; readonly doc: string }[];
	readonly unit: '';
	readonly doc: string;
}

/** On or off. */
export interface BooleanParam {
	readonly type: 'boolean';
	readonly default: boolean;
	readonly unit: '';
	readonly doc: string;
}

/** Text with a pattern, for rates (`24000/1001`) and sizes (`1920x1080`); empty means: not used. */
export interface TextParam {
	readonly type: 'text';
	readonly default: string;
	/** Regular expression source the whole value must match. */
	readonly pattern: string;
	/** What is expected, for error messages: `a rate such as 60 or 60000/1001`. */
	readonly expected: string;
	readonly unit: string;
	readonly doc: string;
}

/** Any parameter. */
export type Param = NumberParam | EnumParam | BooleanParam | TextParam;
/** A stage's parameter table: default, range, unit and sentence of each parameter, written once. */
export type ParamTable = Readonly<Record<string, Param>>;
/** Values of parameters after validation, defaults filled in. */
export type ParamValues = Readonly<Record<string, number | string | boolean>>;

/** The typed values of a table. */
export type ValuesOf<T extends ParamTable> = {
	readonly [K in keyof T]: T[K] extends NumberParam
		? T[K] extends { readonly auto: true }
			? number | 'auto'
			: number
		: T[K] extends BooleanParam
			? boolean
			: string;
};

/** What the UI, the planner and the terminal know of a stage. Data only. */
export interface StageMeta<T extends ParamTable = ParamTable> {
	/** Recipe name: `degrain`. */
	readonly id: string;
	/** Raised whenever the same parameters would give other pixels. */
	readonly version: number;
	/** Message key prefix: labels are `stage.<id>.label`; parameters `stage.<id>.<param>`. English fallback here. */
	readonly label: string;
	readonly doc: string;
	/** Place in the default order (design §2); the restorer may reorder. */
	readonly order: number;
	readonly params: T;
	/** Model ids that may be used. */
	readonly models: readonly string[];
	readonly changesTimeline: boolean;
	/** The survey of one shot moves the frames of others (frames are dropped or inserted): a range needs all shots surveyed. */
	readonly surveyMovesTime?: boolean;
	readonly changesSize: boolean;
	/** What it writes to provenance where it changes pixels. */
	readonly provenance: 'none' | 'repaired' | 'generated';
	/** Side planes it can show instead of the result, e.g. `residual`. */
	readonly views: readonly string[];
}

/** Provenance values in a side plane: how far from the film's own picture a pixel is. */
export const PROVENANCE = { original: 0, repaired: 1, generated: 2 } as const;

/**
 * A working frame on its way through the stages. `picture` has 3 channels R′G′B′, source-referred. Side planes have the
 * picture's size: `provenance` (1 channel, see {@link PROVENANCE}; absent means all original), `matte` (0…1).
 * Owned by whoever holds it: `releaseFrame` releases all its pictures.
 */
export interface WorkingFrame {
	readonly picture: Picture;
	readonly sides: Readonly<Partial<Record<'provenance' | 'matte' | 'residual', Picture>>>;
	readonly color: ColorTags;
}

/** Flow between two frames at a bounded size, shared by all stages that ask. Pixels are those of the flow's own size. */
export interface FlowField extends Size {
	/** 2 channels: dx, dy from the target frame's pixel to where it lies in the reference frame. */
	readonly vectors: Picture;
	/** 1 channel, 0 (occluded or unreliable) … 1 (consistent forward and backward). */
	readonly confidence: Picture;
}

/** What a stage needs to make one output frame; the planner schedules and shares it. */
export interface FrameNeeds {
	/** Input-timeline indices to be rendered first. */
	readonly inputs: readonly number[];
	/** Flows to be computed: `to` is aligned onto `from`. */
	readonly flows?: readonly FlowRequest[];
	/** Guides to be made; those of a flow need not be named unless `render` looks at them itself. */
	readonly guides?: readonly GuideRequest[];
}

/** How a frame is prepared for motion estimation. */
export interface GuideOptions {
	/** Longest side in pixels; larger frames are reduced. Default 640. */
	readonly maxSide?: number;
	/** Shortest side in pixels: smaller frames are enlarged where `maxSide` allows it. Default 0. */
	readonly minSide?: number;
	/**
	 * Noise to be taken off first (FFDNet), as σ on the scale of the frame itself (8-bit codes ÷ 255): at a reduced size what
	 * is left of it. 0, the default: the frame as it is.
	 */
	readonly denoise?: number;
}

/** A frame as motion estimation sees it, made once for all who ask with equal options. */
export interface GuideRequest extends GuideOptions {
	/** Index in the input timeline. */
	readonly index: number;
}

/**
 * One flow between the guides of two frames. Both directions of a pair come from one run, earlier frame first, whoever asks:
 * cached by frames, options and direction.
 */
export interface FlowRequest extends GuideOptions {
	readonly from: number;
	readonly to: number;
}

/** The environment of every call. */
export interface StageEnv {
	readonly compute: Compute;
	readonly models: ModelRuntime;
	readonly signal: AbortSignal;
	/** Yields a macrotask, so that aborts and preview requests arrive, and throws `aborted`. Call between tiles. */
	readonly breathe: () => Promise<void>;
	readonly onProgress: OnProgress;
}

/** Input frames of a shot, for `analyze`: sampled, rendered by the stages before. */
export interface ShotAccess {
	readonly shot: Shot;
	/** Indices in the input timeline. */
	readonly range: FrameRange;
	readonly size: Size;
	readonly timeline: Timeline;
	/** The caller releases the frame. */
	frame(index: number): Promise<WorkingFrame>;
	/** The shot as it was decoded, whatever the stages before made of it. */
	readonly source: SourceAccess;
}

/** A shot's source frames, converted and otherwise untouched. */
export interface SourceAccess {
	/** Indices of source frames. */
	readonly range: FrameRange;
	/** The picture's codec, as `SourceInfo` has it. */
	readonly codec: string;
	/** The caller releases the frame. Throws `internal` outside of `range`. */
	frame(index: number): Promise<WorkingFrame>;
}

/** A frame as a survey sees it: reduced from the source's planes, the same on every backend. */
export interface SurveyFrame extends Size {
	/** R′, G′, B′ planes one after the other, source-referred, box-averaged. */
	readonly rgb: Float32Array;
}

/** Input frames of a shot, for `survey`: the source's pictures, not what the stages before make of them. */
export interface SurveyAccess {
	/** Indices in the input timeline. */
	readonly range: FrameRange;
	readonly timeline: Timeline;
	/**
	 * What the source shows at an input frame, at most {@link SURVEY_SIDE} on the longer side; of a created frame the mean of
	 * the frames it lies between, weighted by its timestep. Cheapest in order. Throws `internal` outside of `range`.
	 */
	frame(index: number): Promise<SurveyFrame>;
}

/** Longest side of a {@link SurveyFrame} in pixels. */
export const SURVEY_SIDE = 256;

/** A request for one output frame. */
export interface RenderRequest<V, A> {
	readonly frame: TimelineFrame;
	readonly params: V;
	readonly artifact: A | undefined;
	/** Inputs named in `needs`; borrowed: do not release. */
	input(index: number): WorkingFrame;
	/** Flows named in `needs`; borrowed. */
	flow(from: number, to: number): FlowField;
	/** Guides named in `needs` (3 channels R′G′B′, at the guide's size); borrowed. */
	guide(index: number): Picture;
	/** Frames of the input timeline in the same shot. */
	readonly shot: FrameRange;
	/** Which picture to make: `result`, or one of `meta.views`. */
	readonly view: string;
}

/**
 * A stage. `A` is its artifact, what `render` knows of a shot; `S` its survey, what `timeline` knows of one. Both are plain,
 * structured-clone safe data.
 */
export interface Stage<T extends ParamTable = ParamTable, A = unknown, S = unknown> {
	readonly meta: StageMeta<T>;
	/** Models that a shot's first frame needs with these parameters, as far as they alone say: they are made ready ahead. */
	models?(params: ValuesOf<T>): readonly string[];
	/** Looks at a shot, before its first frame is rendered, and returns what `render` needs to know; stored by cache key, cancellable. */
	analyze?(access: ShotAccess, params: ValuesOf<T>, env: StageEnv): Promise<A>;
	/**
	 * What parameters left to `"auto"` stand for in a shot, by name, in their own units; read from the shot's artifact alone. It is
	 * what `render` uses, and what people are shown. A stage with such a parameter has it.
	 */
	resolved?(params: ValuesOf<T>, artifact: A): Partial<Record<keyof T & string, number>>;
	/** What the stage found of a shot, as a sentence; read from the shot's artifact alone. The card shows it, the report keeps it. */
	finding?(params: ValuesOf<T>, artifact: A): Phrase | undefined;
	/** False where these parameters need no survey. Default true. */
	surveys?(params: ValuesOf<T>): boolean;
	/** Looks at a shot's source pictures while the film is planned and returns what `timeline` needs to know; stored, cancellable. */
	survey?(access: SurveyAccess, params: ValuesOf<T>, env: Pick<StageEnv, 'breathe' | 'onProgress'>): Promise<S>;
	/**
	 * Output timeline; identity when absent. Never makes a frame from both sides of a cut. What a shot's survey says may change
	 * which frames of the shot are original, repeated or created, but neither number nor times of frames, unless
	 * `meta.surveyMovesTime` is set.
	 */
	timeline?(
		input: Timeline,
		params: ValuesOf<T>,
		surveys: ReadonlyMap<number, S>,
		scope: (frame: TimelineFrame) => boolean,
	): Timeline;
	/** Output size; identity when absent. */
	outputSize?(input: Size, params: ValuesOf<T>): Size;
	/** False when this frame passes through unchanged (it then keeps its source planes). */
	touches(frame: TimelineFrame, params: ValuesOf<T>): boolean;
	needs(frame: TimelineFrame, params: ValuesOf<T>, shot: FrameRange, artifact: A | undefined): FrameNeeds;
	/** Makes one frame; the caller owns the result. Writes provenance. */
	render(request: RenderRequest<ValuesOf<T>, A>, env: StageEnv): Promise<WorkingFrame>;
	/** Extra frames a second made for each input second, for estimates; 1 when absent. */
	costHint?(params: ValuesOf<T>, size: Size): { readonly gflopPerFrame: number };
}

/** Result of planning a rate change, shown before work starts. */
export interface RateChange {
	readonly from: Rational;
	readonly to: Rational;
}
