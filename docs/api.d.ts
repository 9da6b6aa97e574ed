// The public API without its comments: what changes here changes for programs of others. Written by test/source/write-api-report.ts.

// What the package exports.

type AnySpace = SearchSpace | StackSpace;

type Budget = {
    readonly seconds: number;
} | {
    readonly evaluations: number;
};

interface Candidate {
    readonly point: Float64Array;
    readonly wantsGradient: boolean;
    readonly isReference: boolean;
    readonly weights?: readonly number[];
}

type ChoiceLossName = keyof typeof choiceLosses;

class ConfigError extends UserError {
    readonly name = "ConfigError";
    readonly file: string;
    readonly faults: readonly FileFault[];
    constructor(file: string, faults: readonly FileFault[], others?: number);
}

interface CopyRecipe {
    readonly method: "passthrough";
    readonly model: string;
}

interface Curve {
    readonly layers: readonly number[];
    readonly rest: number;
}

type Curves = Readonly<Record<string, Readonly<Record<string, Curve>>>>;

interface DatasetSource {
    readonly dataset: string;
    readonly config: string;
    readonly split?: string;
}

interface Device extends AsyncDisposable {
    readonly name: string;
    readonly kind: "cpu" | "gpu";
    readonly fastestProducts: Dtype;
    readonly concurrency: number;
    readonly mergesInCache?: boolean | undefined;
    readonly mergesAtOnce?: boolean | undefined;
    readonly alike?: number | undefined;
    readonly memory: DeviceMemory;
    bytesOf(tensor: DeviceTensor): number;
    upload(bytes: Uint8Array, dtype: DeviceDtype, shape: Shape): Promise<DeviceTensor>;
    receive?(tensor: DeviceTensor): Promise<Incoming>;
    run(outputs: readonly Expression[], options?: GraphOptions): Promise<DeviceTensor[]>;
    read(tensor: DeviceTensor): Promise<Uint8Array>;
    free(...tensors: readonly DeviceTensor[]): void;
}

type DeviceDtype = Dtype | "i32";

interface DeviceMemory {
    readonly capacityBytes: number | undefined;
    readonly bytes: number;
    readonly peakBytes: number;
    readonly workBytes: number;
}

interface DeviceTensor {
    readonly dtype: DeviceDtype;
    readonly shape: Shape;
}

type EngineName = (typeof engineNames)[number];

interface EngineOptions {
    readonly precision: "f32" | "bf16" | "auto";
    readonly openBuiltIn: (name: EngineName) => Promise<Device>;
}

interface EnginePlugin {
    open(options: EngineOptions): Device | Promise<Device>;
}

interface EvaluateOptions extends Partial<LmEvalQuestion> {
    readonly python?: string | undefined;
    readonly models?: readonly string[] | undefined;
    readonly moved?: MovedPlaces | undefined;
    readonly hub?: Hub | undefined;
    readonly environment?: NodeJS.ProcessEnv | undefined;
    readonly onEvent?: ((event: EvaluationEvent) => void) | undefined;
    readonly signal?: AbortSignal | undefined;
}

interface Evaluated {
    readonly folder: string;
    readonly benchmark: Benchmark;
}

type EvaluationEvent = RunEvent | {
    readonly type: "evaluating";
    readonly model: string;
    readonly share: number;
}
 | {
    readonly type: "evaluated";
    readonly model: string;
    readonly seconds: number;
    readonly isStored: boolean;
};

interface Experiment {
    readonly name: string;
    readonly plugins?: readonly PluginModule[];
    readonly base: string;
    readonly experts: readonly Expert[];
    readonly tokenizer?: string;
    readonly space: AnySpace;
    readonly recipes?: Readonly<Record<string, GivenRecipe>>;
    readonly start?: StartingRun;
    readonly tasks: readonly TaskFiles[];
    readonly search: SearchOptions;
    readonly budget: Budget;
    readonly engine: EngineName | PluginName;
    readonly precision: Precision;
    readonly seed: number;
}

type ExperimentGenome = Pick<Genome, "dimension" | "genes" | "levels" | "start" | "summary" | "decode" | "startAt">;

interface Expert {
    readonly name: string;
    readonly path: string;
}

interface ExportOptions extends ReopenOptions {
    readonly to?: string | undefined;
    readonly pick?: string | undefined;
    readonly commandFor?: CommandFor | undefined;
    readonly starterKit?: string | undefined;
    readonly push?: {
        readonly name: string;
        readonly private?: boolean | undefined;
    } | undefined;
}

interface ExportResult extends PickedOutcome {
    readonly model: string;
    readonly weightsDigest: string;
    readonly lmEval: string;
    readonly starterKit?: StarterKitExport;
    readonly pushed?: Pushed;
}

type Expression = Typed & ({
    readonly op: "input";
    readonly tensor: DeviceTensor;
} | {
    readonly op: "constant";
    readonly values: Float32Array;
} | {
    readonly op: "cast";
    readonly x: Expression;
} | {
    readonly op: "reshape";
    readonly x: Expression;
} | {
    readonly op: "permute";
    readonly x: Expression;
    readonly order: readonly number[];
} | {
    readonly op: "add";
    readonly x: Expression;
    readonly y: Expression;
} | {
    readonly op: "sub";
    readonly x: Expression;
    readonly y: Expression;
} | {
    readonly op: "mul";
    readonly x: Expression;
    readonly y: Expression;
} | {
    readonly op: "div";
    readonly x: Expression;
    readonly y: Expression;
} | {
    readonly op: "scale";
    readonly x: Expression;
    readonly factor: number;
} | {
    readonly op: "sumTo";
    readonly x: Expression;
} | {
    readonly op: "silu";
    readonly x: Expression;
} | {
    readonly op: "gelu";
    readonly x: Expression;
    readonly form: GeluForm;
} | {
    readonly op: "relu";
    readonly x: Expression;
} | {
    readonly op: "tanh";
    readonly x: Expression;
} | {
    readonly op: "abs";
    readonly x: Expression;
} | {
    readonly op: "step";
    readonly x: Expression;
} | ({
    readonly op: "matmul";
    readonly x: Expression;
    readonly y: Expression;
} & ProductOptions) | {
    readonly op: "gatherRows";
    readonly table: Expression;
    readonly rows: Expression;
    readonly inverse: Expression | undefined;
} | {
    readonly op: "scatterRows";
    readonly x: Expression;
    readonly rows: Expression;
} | {
    readonly op: "sliceRows";
    readonly x: Expression;
    readonly from: number;
} | {
    readonly op: "concat";
    readonly x: Expression;
    readonly y: Expression;
    readonly axis: number;
} | {
    readonly op: "normalize";
    readonly x: Expression;
    readonly epsilon: number;
} | {
    readonly op: "rope";
    readonly x: Expression;
    readonly positions: Expression;
    readonly periods: Expression;
    readonly factor: number;
} | {
    readonly op: "softmax";
    readonly x: Expression;
    readonly mask: Expression | undefined;
    readonly factor: number;
} | {
    readonly op: "logProbability";
    readonly logits: Expression;
    readonly targets: Expression;
} | {
    readonly op: "argmax";
    readonly x: Expression;
} | Backward);

interface FileFault {
    readonly line: number;
    readonly column: number;
    readonly message: string;
}

interface Finding {
    readonly name: string;
    readonly works: boolean;
    readonly detail: string;
}

interface FormulaMethod {
    readonly name: string;
    readonly source: string;
    readonly summary: string;
    readonly formula: string;
    readonly parameters: readonly FormulaParameter[];
    readonly experts?: {
        readonly least: number;
        readonly most?: number;
    };
}

type FormulaParameter = Pick<ParameterSpec, "name" | "per" | "range" | "start" | "limits" | "summary">;

interface Gain {
    readonly gain: number;
    readonly interval: readonly [lower: number, upper: number];
    readonly pValue: number;
}

interface Gene {
    readonly name: string;
    readonly range: readonly [number, number];
}

interface GenerateOptions extends ModelToScore {
    readonly prompts: readonly string[];
    readonly applyChatTemplate?: boolean | undefined;
    readonly names?: readonly string[] | undefined;
    readonly maxNewTokens?: number | undefined;
    readonly until?: readonly string[] | undefined;
    readonly engine?: EngineName | undefined;
    readonly precision?: Exclude<Precision, "mixed"> | undefined;
    readonly hub?: Hub | undefined;
    readonly signal?: AbortSignal | undefined;
    readonly onText?: ((prompt: number, text: GeneratedText) => void) | undefined;
    readonly onProgress?: ((share: number) => void) | undefined;
    readonly onNotice?: SourceOptions["onNotice"];
    readonly onFetching?: SourceOptions["onProgress"];
}

interface GeneratedText extends Pick<PromptIds, "isCut"> {
    readonly text: string;
    readonly tokens: number;
}

interface GivenCoefficients {
    readonly method: MergeMethod;
    readonly parameters: Readonly<Record<string, Readonly<Record<string, GivenValue | Readonly<Record<string, GivenValue>>>>>>;
    readonly options?: Options;
    readonly seed?: number;
}

type GivenRecipe = KnotRecipe | MergekitGiven | ExportedGiven;

type GivenValue = number | readonly number[];

interface GuardedModel extends ScoredModel {
    readonly kind: "parent" | "average" | "global" | "recipe" | "winner";
    readonly intervals: Readonly<Record<string, readonly [lower: number, upper: number]>>;
    readonly gains?: {
        readonly combined: Gain;
        readonly tasks: Readonly<Record<string, Gain>>;
    };
}

interface Hub extends Connection {
    readonly tokenSource: string;
    readonly cache: string;
    readonly fetch: typeof fetch;
    readonly stream: typeof fetch;
}

interface Incoming {
    readonly bytes: Uint8Array<ArrayBuffer>;
    arrive(): Promise<DeviceTensor>;
    giveUp(): void;
}

type JournalRecord = StartRecord | {
    [Type in Exclude<RecordType, "start">]: {
        readonly type: Type;
    } & RecordPayloads[Type];
}[Exclude<RecordType, "start">];

interface JournalView {
    readonly records: readonly JournalRecord[];
    readNumbers(ref: NumbersRef): Float64Array;
    readPoints(ref: NumbersRef): Float64Array;
}

interface LogProbabilitiesOptions {
    readonly folder: string;
    readonly base?: string | undefined;
    readonly ids: TokenIds;
    readonly engine?: EngineName | undefined;
    readonly precision?: Exclude<Precision, "mixed"> | undefined;
    readonly hub?: Hub | undefined;
    readonly signal?: AbortSignal | undefined;
    readonly onNotice?: SourceOptions["onNotice"];
    readonly onFetching?: SourceOptions["onProgress"];
    readonly onProgress?: ((share: number) => void) | undefined;
}

type LoggedEvent = {
    readonly time: string;
    readonly elapsed?: number;
} & Logged<RunEvent | RunEnd>;

type MergeEvent = Extract<RunEvent, {
    type: "notice" | "fetching" | "merging";
}>;

type MergeMethod = MethodName | FormulaMethod;

interface MergeModelsOptions {
    readonly recipe: string | MergekitRecipeInput | Recipe;
    readonly to: string;
    readonly base?: string | undefined;
    readonly experts?: Readonly<Record<string, string>> | undefined;
    readonly tokenizer?: string | undefined;
    readonly mergekitCompat?: boolean | undefined;
    readonly seed?: number | undefined;
    readonly maxShardBytes?: number | undefined;
    readonly hub?: Hub | undefined;
    readonly signal?: AbortSignal | undefined;
    readonly onEvent?: ((event: MergeEvent) => void) | undefined;
}

interface MergeRecipe {
    readonly method: MergeMethod;
    readonly parameters: Readonly<Record<string, Curves>>;
    readonly options?: Options;
    readonly seed?: number;
    readonly columns?: Readonly<Record<string, Columns>>;
}

type MergeRecipeOptions = Pick<MergeModelsOptions, "maxShardBytes" | "signal" | "onEvent">;

interface MergedModel {
    readonly model: string;
    readonly files: readonly WrittenFile[];
    readonly bytes: number;
    readonly tensors: number;
}

type MergekitRecipeInput = z.input<typeof mergekitRecipeSchema>;

type MethodName = keyof typeof linearMethods | keyof typeof taskVectorMethods | keyof typeof sphericalMethods | keyof typeof modelStock | keyof typeof nearswap | keyof typeof arceeFusion | keyof typeof sce;

type MethodPlugin = Omit<FormulaMethod, "name">;

interface ModelLosses {
    readonly name: string;
    readonly scores: TaskScores;
    readonly loss: number;
}

interface ModelScores extends Summary {
    readonly engine: string;
    readonly precision: string;
    readonly scores: readonly (RowScore & Pick<TaskRow, "id">)[];
}

interface MovedPlaces {
    readonly base?: string;
    readonly experts?: Readonly<Record<string, string>>;
    readonly rows?: Readonly<Record<string, readonly string[]>>;
    readonly guard?: Readonly<Record<string, readonly string[]>>;
}

type OpenExperimentOptions = Pick<BringOptions, "hub" | "signal"> & {
    readonly onNotice?: ((text: string) => void) | undefined;
};

interface OpenedExperiment extends AsyncDisposable {
    readonly experiment: Experiment;
    readonly engine: string;
    readonly genome: ExperimentGenome;
    readonly tasks: readonly Task[];
    recipe(coefficients: GivenCoefficients): MergeRecipe;
    score(recipes: readonly Recipe[], options?: ScoreRecipesOptions): Promise<RecipeScores[]>;
    merge(recipe: Recipe, to: string, options?: MergeRecipeOptions): Promise<MergedModel>;
}

interface Optimizer {
    ask(): readonly Candidate[];
    tell(scores: readonly Score[], spent: number): void;
    recommend(): Float64Array;
    readonly generation: number;
    readonly candidates: number;
    readonly learnt?: LearntDistribution | undefined;
    readonly restart?: Restart | undefined;
    readonly front?: readonly Float64Array[];
    readonly converged: boolean;
    readonly isStuck?: boolean;
}

type OptimizerName = "cma-es" | "sep-cma-es" | "mixed-evolution" | "random" | "gradient-walk" | "lineages" | "front-walk" | "nsga2";

interface OptimizerOptions {
    readonly start: Float64Array;
    readonly sigma: number;
    readonly scales?: Float64Array;
    readonly covariance?: Float64Array;
    readonly levels?: readonly number[];
    readonly rates?: Float64Array;
    readonly populationSize?: number;
    readonly seed: number;
    readonly objectives?: readonly number[];
    readonly inject?: readonly Float64Array[];
}

interface OptimizerPlugin extends Pick<OptimizerKind, "beside" | "usesGradients"> {
    readonly population: ((dimension: number) => number) | "one point";
    readonly create: (options: OptimizerOptions, random: RandomNumbers) => Optimizer;
}

type Options = Readonly<Record<string, boolean | number>>;

interface Outcome extends Found {
    readonly folder: string;
    readonly experiment: Experiment;
    readonly drawn: readonly string[];
}

interface Overrides {
    readonly budget?: Budget | undefined;
    readonly engine?: EngineName | PluginName | undefined;
    readonly seed?: number | undefined;
    readonly from?: string | undefined;
    readonly take?: StartingKind | undefined;
}

interface ParameterSpace {
    readonly range: readonly [number, number];
    readonly start: number | "uniform";
    readonly sigma?: number;
}

type Phase = "baselines" | "search" | "finalists" | "guard" | "texts" | "export";

interface Plugin {
    readonly name: string;
    readonly version?: string;
    readonly tasks?: Readonly<Record<string, TaskPlugin>>;
    readonly optimizers?: Readonly<Record<string, OptimizerPlugin>>;
    readonly methods?: Readonly<Record<string, MethodPlugin>>;
    readonly engines?: Readonly<Record<string, EnginePlugin>>;
}

interface PluginLoss {
    readonly loss: number;
    readonly derivatives: readonly number[];
}

type PluginMetric<Data = unknown> = {
    measure(row: PluginRow<Data>, logLikelihoods: readonly number[]): number;
}["measure"];

interface PluginModule {
    readonly name: string;
    readonly path: string;
}

type PluginName = `${string}/${string}`;

interface PluginRow<Data = unknown> {
    readonly context: string;
    readonly answers: readonly string[];
    readonly label?: number;
    readonly data?: Data;
    readonly group?: string;
    readonly passage?: string;
}

type Precision = (typeof precisions)[number];

interface PushOptions {
    readonly private?: boolean | undefined;
    readonly message: string;
    readonly onProgress?: ((progress: {
        readonly doneBytes: number;
        readonly totalBytes: number;
    }) => void) | undefined;
    readonly signal?: AbortSignal | undefined;
}

interface Pushed {
    readonly url: string;
    readonly commit: string;
}

interface RandomNumbers {
    uniform(): number;
    normal(): number;
    integer(n: number): number;
}

interface ReadRowsOptions extends RowOptions {
    readonly onShare?: ((file: string, share: number) => void) | undefined;
    readonly onRecord?: ((values: RowRecord["values"]) => void) | undefined;
}

type Recipe = WeightwiseRecipe | StackRecipe;

interface RecipeScores {
    readonly tasks: Readonly<Record<string, Summary>>;
    readonly rows: Readonly<Record<string, readonly RowScore[]>>;
}

interface RecordPayloads extends OpeningPayloads, PartPayloads, BaselinePayloads, SearchPayloads, FinishPayloads {
}

type RecordType = keyof RecordPayloads;

interface ReopenOptions extends RunOptions {
    readonly moved?: MovedPlaces | undefined;
}

interface ReportOptions extends ProvenTasksOptions {
    readonly commandFor?: CommandFor | undefined;
}

interface RerankedModel {
    readonly name: string;
    readonly scores: TaskScores;
    readonly loss: number;
    readonly lossBefore: number;
    readonly rows: RowCounts;
}

interface Reranking {
    readonly folder: string;
    readonly weights: TaskWeights;
    readonly weightsBefore: TaskWeights;
    readonly models: readonly RerankedModel[];
    readonly others: readonly RerankedModel[];
    readonly winner: string;
    readonly winnerBefore?: string;
    readonly gain?: Gain;
    readonly soFar?: {
        readonly name: string;
        readonly rows: RowCounts;
        readonly gain: Gain;
    };
    readonly guard?: {
        readonly models: readonly GuardedModel[];
        readonly groups: Readonly<Record<string, number>>;
        readonly rows: RowCounts;
        readonly outOf: RowCounts;
        readonly hasMetWinner: boolean;
        readonly looks: number;
    };
    readonly withoutRows?: string;
}

interface Restart {
    readonly after: number;
    readonly rivals: readonly Float64Array[];
}

interface RougeOptions {
    readonly stem?: boolean | undefined;
}

interface RougeScore {
    readonly precision: number;
    readonly recall: number;
    readonly fmeasure: number;
}

type RougeScores = Readonly<Record<"rouge1" | "rouge2" | "rougeL" | "rougeLsum", RougeScore>>;

interface RowScore {
    readonly logLikelihoods: readonly number[];
    readonly greedy?: readonly boolean[];
    readonly loss: number;
    readonly answer?: number;
    readonly correct?: boolean;
    readonly correctNormalised?: boolean;
    readonly correctByBytes?: boolean;
}

type RowSource = readonly string[] | DatasetSource;

interface RuleReport {
    readonly experiment: string;
    readonly date: string;
    readonly findings: readonly RuleFinding[];
    readonly cannotScore: readonly string[];
    readonly unasked: readonly {
        readonly name: string;
        readonly why: string;
    }[];
    readonly notices: readonly string[];
}

type RunEnd = {
    readonly type: "ended";
    readonly state: "finished" | "interrupted";
    readonly winner?: string;
    readonly seconds: number;
} | {
    readonly type: "failed";
    readonly sentence: string;
    readonly seconds: number;
};

type RunEvent = 
{
    readonly type: "notice";
    readonly text: string;
}
 | {
    readonly type: "fetching";
    readonly doneBytes: number;
    readonly totalBytes: number;
}
 | {
    readonly type: "merging";
    readonly doneBytes: number;
    readonly totalBytes: number;
}
 | {
    readonly type: "pushing";
    readonly doneBytes: number;
    readonly totalBytes: number;
} | {
    readonly type: "opened";
    readonly folder: string;
    readonly engine: string;
    readonly why: string;
    readonly precision: ResolvedPrecision;
    readonly experts: readonly string[];
    readonly genome: string;
    readonly rows: Readonly<Record<string, {
        readonly search: number;
        readonly guard: number;
    }>>;
    readonly resumed: boolean;
}
 | {
    readonly type: "progress";
    readonly phase: Phase | "rows" | "forecast" | "score";
    readonly share: number;
    readonly leftMs?: number;
    readonly afterMs?: number;
}
 | {
    readonly type: "forecast";
    readonly baselinesMs: number;
    readonly generationMs: number;
    readonly finishMs: number;
    readonly generations: number;
    readonly budgetMs: number;
    readonly wholeMs: number;
    readonly isSmall: boolean;
    readonly exports: boolean;
} | {
    readonly type: "baselines";
    readonly models: readonly (ScoredModel & {
        readonly rows: RowCounts;
    })[];
    readonly skipped: readonly string[];
} | {
    readonly type: "planned";
    readonly algorithm: OptimizerName | PluginName;
    readonly candidates: number;
    readonly rowFraction: number;
    readonly start: string;
} | {
    readonly type: "generation";
    readonly generation: number;
    readonly best: number;
    readonly mean?: number;
    readonly overall: number;
    readonly baseline: number;
    readonly work: number;
    readonly spent: number;
    readonly elapsedMs: number;
    readonly left: {
        readonly ms: number;
    } | {
        readonly evaluations: number;
    };
    readonly replayed: boolean;
}
 | {
    readonly type: "restarted";
    readonly candidates: number;
    readonly replayed: boolean;
} | {
    readonly type: "finalists";
    readonly models: readonly ModelLosses[];
    readonly winner: string;
    readonly front?: readonly FrontMember[];
} | {
    readonly type: "verdict";
    readonly models: readonly GuardedModel[];
    readonly tasks: readonly string[];
    readonly rows: RowCounts;
}
 | {
    readonly type: "texts";
    readonly texts: RecordPayloads["texts"];
}
 | {
    readonly type: "skipped";
    readonly phase: Phase;
    readonly why: string;
}
 | {
    readonly type: "stopped";
    readonly phase: Phase;
    readonly why: string;
} | {
    readonly type: "exported";
    readonly folder: string;
    readonly weightsDigest: string;
};

interface RunOptions extends BringOptions {
    readonly partMs?: number | undefined;
    readonly exports?: boolean | undefined;
    readonly devices?: number | undefined;
}

interface RunPlan {
    readonly experiment: Experiment["name"];
    readonly engine: string;
    readonly devices: number;
    readonly lanes: number;
    readonly precision: ResolvedPrecision;
    readonly budget: Budget;
    readonly speed: MeasuredSpeed;
    readonly expected: Expectations;
    readonly evaluations: number;
    readonly gradientSteps: number;
    readonly generation: PlannedGeneration;
    readonly memory: PlannedMemory;
    readonly disk: PlannedDisk;
    readonly limits: readonly Binding[];
}

interface RunPlanOptions {
    readonly signal?: AbortSignal | undefined;
    readonly onNotice?: ((text: string) => void) | undefined;
    readonly hub?: Hub | undefined;
    readonly folder?: string | undefined;
    readonly watch?: Stopwatch | undefined;
    readonly exports?: boolean | undefined;
    readonly devices?: number | undefined;
}

interface RunView {
    readonly name: string;
    readonly winner: string | null;
    readonly facts: readonly string[];
    readonly searched: readonly string[];
    readonly verdict: VerdictView | null;
    readonly course: CourseView;
    readonly pairs: readonly TaskPair[];
    readonly sides: readonly SidesPoint[];
    readonly parameters: readonly ParameterView[];
    readonly whyNoCoefficients: string | null;
    readonly changes: ChangesView | null;
    readonly front: {
        readonly sentence: string;
        readonly table: Table;
    } | null;
    readonly texts: {
        readonly sentence: string;
        readonly table: Table;
    } | null;
    readonly benchmarks: readonly BenchmarkView[];
    readonly time: readonly PhaseView[];
    readonly recipe: Recipe | null;
    readonly steps: readonly (readonly [command: string, purpose: string])[];
}

interface RunsComparison {
    readonly runs: readonly ComparedRun[];
    readonly gains: readonly WinnersGain[];
    readonly notes: readonly string[];
    readonly differences: Table;
}

interface Score {
    readonly loss: number;
    readonly gradient?: Float64Array;
    readonly losses?: readonly number[];
}

interface ScoreModelOptions extends ModelToScore {
    readonly rows: string | readonly string[];
    readonly format?: MmluFormat | PluginName | undefined;
    readonly plugins?: readonly string[] | undefined;
    readonly description?: boolean | undefined;
    readonly applyChatTemplate?: boolean | undefined;
    readonly limit?: number | undefined;
    readonly samples?: string | undefined;
    readonly engine?: EngineName | PluginName | undefined;
    readonly precision?: Precision | undefined;
    readonly hub?: Hub | undefined;
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: ((share: number, rows: number) => void) | undefined;
    readonly onNotice?: SourceOptions["onNotice"];
    readonly onFetching?: SourceOptions["onProgress"];
}

interface ScoreRecipesOptions {
    readonly rows?: "search" | "guard" | Selection | undefined;
    readonly limit?: number | undefined;
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: ((share: number) => void) | undefined;
}

interface ScoredModel extends ModelLosses {
    readonly recipe: Recipe;
}

interface SearchOptions {
    readonly algorithm: OptimizerName | PluginName | "auto";
    readonly population: number | "auto";
    readonly rowFraction: number | "auto";
    readonly seedFromBaselines: boolean;
}

interface SearchSpace {
    readonly method: MergeMethod;
    readonly groups: readonly (readonly string[])[] | "tensors";
    readonly depth: Depth;
    readonly columns?: boolean;
    readonly options?: Options;
    readonly seed?: number;
    readonly parameters: Readonly<Record<string, ParameterSpace>>;
}

type Selection = Readonly<Record<string, readonly TaskRow[]>>;

interface SourceOptions {
    readonly signal?: AbortSignal | undefined;
    readonly onNotice?: ((text: string) => void) | undefined;
    readonly onProgress?: ((progress: {
        readonly doneBytes: number;
        readonly totalBytes: number;
    }) => void) | undefined;
}

interface Sources {
    readonly experiment: Experiment;
    readonly models: ReadonlyMap<string, Repository>;
    readonly datasets: ReadonlyMap<string, DatasetFiles>;
}

interface StackRecipe {
    readonly method: "stack";
    readonly layers: readonly StackedLayer[];
    readonly rest: string;
}

interface StackSpace {
    readonly method: "stack";
    readonly layers: {
        readonly exactly: number;
    } | {
        readonly atMost: number;
    };
    readonly window: number | "any";
    readonly scale: number | ScaleSpace;
}

interface StackedLayer {
    readonly model: string;
    readonly layer: number;
    readonly scale: number;
}

interface Summary {
    readonly rows: number;
    readonly loss: number;
    readonly accuracy?: number;
    readonly accuracyNormalised?: number;
    readonly accuracyByBytes?: number;
    readonly bitsPerByte?: number;
    readonly bytePerplexity?: number;
    readonly metrics?: Readonly<Record<string, number>>;
}

interface Task {
    readonly name: string;
    readonly weight: number;
    readonly search: readonly TaskRow[];
    readonly guard: readonly TaskRow[];
}

interface TaskFiles {
    readonly name: string;
    readonly rows: RowSource;
    readonly guard?: RowSource;
    readonly weight: number;
    readonly loss: ChoiceLossName;
    readonly format?: PluginName;
}

interface TaskPlugin<Data = unknown> {
    readonly columns: readonly string[];
    row(values: Readonly<Record<string, unknown>>): PluginRow<Data>;
    loss?(row: PluginRow<Data>, logLikelihoods: readonly number[]): PluginLoss;
    isRight?(row: PluginRow<Data>, logLikelihoods: readonly number[]): boolean;
    readonly metrics?: Readonly<Record<string, PluginMetric<Data>>>;
}

interface TaskRow {
    readonly id: string;
    readonly kind: "choice" | "text";
    readonly context: string;
    readonly description?: string;
    readonly continuations: readonly string[];
    readonly delimiter?: string;
    readonly label: number;
    readonly passage: string;
    readonly group: string;
    readonly loss?: ChoiceLossName;
    readonly scoring?: RowScoring;
}

interface TaskScore {
    readonly loss: number;
    readonly accuracy?: number;
    readonly metrics?: Readonly<Record<string, number>>;
}

type TaskScores = Readonly<Record<string, TaskScore>>;

type TaskWeights = Readonly<Record<string, number>>;

type TokenIds = readonly number[] | {
    readonly encoder: readonly number[];
    readonly decoder: readonly number[];
};

class UserError extends Error {
    readonly name: string;
}

interface WatchOptions extends Partial<ServerOptions> {
    readonly commandFor?: CommandFor | undefined;
}

interface WatchedRun extends AsyncDisposable {
    readonly address: string;
}

type WeightwiseRecipe = MergeRecipe | CopyRecipe;

interface WrittenReport {
    readonly page: string;
    readonly plots: readonly string[];
}

function checkExperiment(experiment: Experiment, hub: Hub, options?: GatherOptions): Promise<RuleReport>;

function compareRuns(folders: readonly string[], options?: ProvenTasksOptions): Promise<RunsComparison>;

function diagnose(): Promise<Finding[]>;

function evaluateModels(target: string, options?: EvaluateOptions): Promise<Evaluated>;

function exportRun(run: string, options?: ExportOptions): Promise<ExportResult>;

function fetchSources(sources: Sources, hub: Hub, options?: SourceOptions): Promise<Experiment>;

function generate(options: GenerateOptions): Promise<GeneratedText[]>;

function launchRun(given: Experiment, folder: string, options?: RunOptions): Promise<Outcome>;

function loadExperiment(given: string): Promise<Experiment>;

function loadSpace(given: string, methods?: FormulaMethods): Promise<AnySpace>;

function logProbabilities(options: LogProbabilitiesOptions): Promise<number[]>;

function mergeModels(options: MergeModelsOptions): Promise<MergedModel>;

function newRunFolder(results: string, name: string): string;

function openExperiment(given: Experiment, { hub, signal, onNotice }?: OpenExperimentOptions): Promise<OpenedExperiment>;

function openHub(environment?: Environment, pace?: Partial<RequestPace>): Promise<Hub>;

function planExperiment(experiment: Experiment, options?: RunPlanOptions): Promise<RunPlan>;

function planSources(sources: Sources, hub: Hub): Promise<FetchPlan>;

function pushFolder(hub: Hub, name: string, folder: string, options: PushOptions): Promise<Pushed>;

function readJournal(folder: string): JournalView;

function readRows(paths: string | readonly string[], options?: ReadRowsOptions, signal?: AbortSignal): Promise<TaskRow[]>;

function readRunView(folder: string, { commandFor, ...options }?: ReportOptions): Promise<RunView>;

function rerankRun(folder: string, given: TaskWeights, options?: ProvenTasksOptions): Promise<Reranking>;

function resolveSources(experiment: Experiment, hub: Hub, options?: SourceOptions): Promise<Sources>;

function resumeRun(folder: string, options?: ReopenOptions & {
    readonly budget?: Budget | undefined;
}): Promise<Outcome>;

function rouge(target: string, prediction: string, { stem }?: RougeOptions): RougeScores;

function scoreModel(options: ScoreModelOptions): Promise<ModelScores>;

function speedFindings(folder: string): Promise<Finding[]>;

function watchRun(folder: string, options?: WatchOptions): Promise<WatchedRun>;

function withOverrides(experiment: Experiment, { budget, engine, seed, from, take }: Overrides): Experiment;

function writeReport(folder: string, options?: ReportOptions): Promise<WrittenReport>;

function writeTables(folder: string, commandFor?: import("./next-steps.ts").CommandFor): Promise<void>;

// What that is made of, which is not exported.

type Backward = {
    readonly op: "siluBack";
    readonly g: Expression;
    readonly x: Expression;
} | {
    readonly op: "geluBack";
    readonly g: Expression;
    readonly x: Expression;
    readonly form: GeluForm;
} | {
    readonly op: "reluBack";
    readonly g: Expression;
    readonly x: Expression;
} | {
    readonly op: "normalizeBack";
    readonly g: Expression;
    readonly x: Expression;
    readonly epsilon: number;
} | {
    readonly op: "softmaxBack";
    readonly g: Expression;
    readonly result: Expression;
    readonly factor: number;
} | {
    readonly op: "logProbabilityBack";
    readonly g: Expression;
    readonly logits: Expression;
    readonly targets: Expression;
} | {
    readonly op: "padRows";
    readonly g: Expression;
    readonly from: number;
} | {
    readonly op: "dot";
    readonly x: Expression;
    readonly y: Expression;
};

interface BaselinePayloads {
    forecast: RecordedRung & {
        readonly firstTime: RecordedTime;
        readonly baselinesMs: number;
        readonly generationMs: number;
        readonly finishMs: number;
        readonly generations: number;
        readonly wholeMs: number;
        readonly isSmall: boolean;
    };
    rung: RecordedRung;
    baselines: {
        readonly models: readonly (ScoredModel & {
            readonly rows: RowCounts;
        })[];
        readonly skipped: readonly string[];
        readonly scales: Readonly<Record<string, number>>;
        readonly elapsedMs: number;
    };
}

type Benchmark = z.output<typeof benchmarkSchema>;

interface BenchmarkView {
    readonly tasks: readonly {
        readonly task: string;
        readonly table: Table;
        readonly sentences: readonly string[];
    }[];
    readonly said: readonly string[];
    readonly provenance: string;
}

interface BestModel extends NamedModelLoss {
    readonly isCandidate: boolean;
}

interface Binding {
    readonly limit: Limit;
    readonly why: string;
    readonly relief: string;
}

interface BringOptions {
    readonly onEvent?: ((event: RunEvent, elapsedMs?: number) => void) | undefined;
    readonly signal?: AbortSignal | undefined;
    readonly hub?: Hub | undefined;
}

type ByGroup = Readonly<Record<string, Knots>>;

interface CachedRepository extends Snapshot {
    readonly source: "cache";
    readonly files: readonly RepositoryFile[];
}

interface ChangesView {
    readonly other: string;
    readonly tasks: readonly TaskChanges[];
    readonly withoutTexts?: string;
}

type Columns = Readonly<Record<string, Readonly<Record<string, Packed>>>>;

type CommandFor = (command: string, folder: string) => string;

interface ComparedRun {
    readonly name: string;
    readonly status: RunStatus;
    readonly guard?: Pick<GuardedModel, "loss" | "scores" | "intervals">;
    readonly best: readonly CostPoint[];
}

interface Connection {
    readonly endpoint: string;
    readonly token?: string;
    readonly offline: boolean;
    readonly pace: RequestPace;
}

interface CostPoint {
    readonly work: number;
    readonly loss: number;
}

interface CourseView {
    readonly generations: number;
    readonly scored: number;
    readonly failed: number;
    readonly candidates: readonly CostPoint[];
    readonly best: readonly CostPoint[];
    readonly reference: readonly CostPoint[];
    readonly baselines: readonly NamedLoss[];
    readonly winner: number | null;
}

interface CurveView {
    readonly group: string;
    readonly expert: string | null;
    readonly layers: readonly LayerValue[];
    readonly rest: number;
}

interface DatasetFiles {
    readonly repository: Repository;
    readonly config: string;
    readonly split: string;
    readonly files: readonly RepositoryFile[];
    readonly pinned: {
        readonly dataset: string;
        readonly config: string;
        readonly split: string;
    };
}

type Depth = {
    readonly curve: "constant" | "per-layer";
} | {
    readonly curve: "dct" | "knots" | "blocks";
    readonly terms: number;
};

interface Derivation {
    readonly numbers: readonly Pick<ParameterSpec, "name" | "per">[];
    readonly make: (known: Known) => Readonly<Record<string, readonly Dual[]>>;
}

interface DeviceSpeed {
    readonly flops: Readonly<Record<"f32" | "bf16", number>>;
    readonly memoryBytes: number;
    readonly uploadBytes: number;
}

interface Disagreement {
    readonly share: number;
    readonly above: number;
    readonly squares: readonly number[];
}

type Dtype = "f32" | "f16" | "bf16";

class Dual {
    readonly value: number;
    readonly slopes: readonly number[];
    constructor(value: number, slopes?: readonly number[]);
    static input(value: number, index: number): Dual;
    static sum(terms: readonly Dual[]): Dual;
    plus(other: Dual | number): Dual;
    minus(other: Dual | number): Dual;
    times(other: Dual | number): Dual;
    over(other: Dual | number): Dual;
    root(): Dual;
    sine(): Dual;
}

type Environment = Readonly<Record<string, string | undefined>>;

type Expectations = Pick<RecordPayloads["forecast"], "baselinesMs" | "generationMs" | "finishMs" | "generations" | "wholeMs" | "isSmall">;

interface ExportedGiven {
    readonly exported: Recipe;
}

interface FetchPlan {
    readonly repositories: readonly PlannedRepository[];
    readonly bytes: number;
    readonly presentBytes: number;
    readonly missingBytes: number;
    readonly freeBytes: number;
    readonly cache: string;
}

interface FinishPayloads {
    finalists: {
        readonly models: readonly ModelLosses[];
        readonly winner: ScoredModel;
        readonly front?: readonly FrontMember[];
        readonly rows?: RowCounts;
        readonly rowLosses?: NumbersRef;
        readonly time?: RecordedTime;
        readonly elapsedMs: number;
    };
    verdict: {
        readonly models: readonly GuardedModel[];
        readonly picks?: readonly JudgedPick[];
        readonly groups: Readonly<Record<string, number>>;
        readonly weightsDigest: string;
        readonly rows: RowCounts;
        readonly outOf: RowCounts;
        readonly rowLosses: NumbersRef;
        readonly time: RecordedTime;
        readonly elapsedMs: number;
    };
    texts: {
        readonly models: readonly {
            readonly name: string;
            readonly scores: Readonly<Record<string, TextScores>>;
        }[];
        readonly rows: RowCounts;
        readonly elapsedMs: number;
    };
}

type Formula = {
    readonly op: "base";
} | {
    readonly op: "first expert";
}
 | {
    readonly op: "expert";
}
 | {
    readonly op: "leaf";
    readonly name: string;
}
 | {
    readonly op: "number";
    readonly value: string | number;
} | {
    readonly op: "plus" | "minus" | "product" | "quotient";
    readonly x: Formula;
    readonly y: Formula;
} | {
    readonly op: "magnitude";
    readonly x: Formula;
}
 | {
    readonly op: "isPositive";
    readonly x: Formula;
}
 | {
    readonly op: "times";
    readonly x: Formula;
    readonly parameter: string;
}
 | {
    readonly op: "sum";
    readonly of: Formula;
}
 | {
    readonly op: "named";
    readonly name: string;
    readonly x: Formula;
};

type FormulaMethods = ReadonlyMap<string, FormulaMethod>;

interface Found {
    readonly winner: ScoredModel;
    readonly isCompared: boolean;
    readonly verdict?: RecordPayloads["verdict"];
    readonly front?: Front;
    readonly picks?: RecordPayloads["verdict"]["picks"];
    readonly texts?: RecordPayloads["texts"];
    readonly generations: number;
    readonly gaveUp: boolean;
    readonly looks: number;
}

interface FoundGain {
    readonly over: string;
    readonly judgement: Judgement;
    readonly amount: string;
}

interface Front {
    readonly members: readonly FrontMember[];
    readonly recipes: ReadonlyMap<string, () => Recipe>;
}

interface FrontMember {
    readonly of: string;
    readonly scores: TaskScores;
    readonly loss: number;
    readonly alike?: readonly string[];
}

interface FrontPick {
    readonly name: string;
    readonly isKnee: boolean;
    readonly place: number;
}

interface FrontRow extends FrontMember {
    readonly place: number;
    readonly names: readonly string[];
    readonly judged?: Pick<JudgedPick, "scores" | "loss" | "intervals">;
}

interface GainView {
    readonly model: string;
    readonly kind: GuardedModel["kind"];
    readonly task: string | null;
    readonly gain: number;
    readonly lower: number | null;
    readonly upper: number | null;
    readonly judgement: Judgement;
    readonly amount: string;
}

interface GatherOptions {
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: ((name: string) => void) | undefined;
}

type GeluForm = "erf" | "tanh";

interface Genome {
    readonly dimension: number;
    readonly genes: readonly Gene[];
    readonly levels?: readonly number[];
    readonly start: Float64Array;
    readonly sigma: number;
    readonly scales: Float64Array;
    readonly rates: Float64Array;
    readonly summary: string;
    decode(point: Float64Array): Recipe;
    startAt(recipe: Recipe): Float64Array | undefined;
    pullBack(point: Float64Array, slopes: WeightSlopes): Float64Array;
}

type Gram = readonly (readonly number[])[];

interface GraphOptions {
    readonly separately?: boolean;
}

interface HubReference {
    readonly name: string;
    readonly revision: string;
}

interface HubRepository extends Snapshot {
    readonly source: "hub";
    readonly files: readonly RepositoryFile[];
    readonly private: boolean;
    readonly gated: false | "auto" | "manual";
    readonly disabled: boolean;
    readonly createdAt?: string | undefined;
    readonly licence?: string | undefined;
    readonly tags: readonly string[];
    readonly parameters?: number | undefined;
}

interface JudgedGain extends Gain {
    readonly corrected: number;
    readonly judgement: Judgement;
    readonly amount: string;
}

interface JudgedPick {
    readonly place: number;
    readonly scores: TaskScores;
    readonly loss: number;
    readonly intervals: GuardedModel["intervals"];
    readonly gains: NonNullable<GuardedModel["gains"]>;
}

type Judgement = "better" | "worse" | "neither";

type KeptRange = readonly [least: number, most: number];

interface KnotRecipe {
    readonly method: MergeMethod;
    readonly parameters: Readonly<Record<string, Readonly<Record<string, ByGroup>>>>;
    readonly options?: Options;
    readonly seed?: number;
}

type Knots = readonly number[];

interface Known {
    readonly facts: ParentFacts;
    readonly values: Readonly<Record<string, readonly Dual[]>>;
    readonly options: Options;
}

interface LayerValue {
    readonly layer: number;
    readonly value: number;
}

interface Leaf {
    readonly name: string;
    readonly isRandom?: true;
    readonly make: (source: LeafSource) => Promise<Float32Array>;
    readonly python: string;
}

interface LeafSource {
    readonly weight: string;
    readonly shape: Shape;
    readonly seed: number;
    readonly base: StoredValues;
    readonly experts: readonly {
        readonly name: string;
        readonly stored: StoredValues;
    }[];
    readonly expert: number;
}

interface LearntDistribution {
    readonly mean: Float64Array;
    readonly covariance: Float64Array;
}

type Limit = "memory" | "disk" | "time" | "evaluations";

interface LmEvalQuestion {
    readonly task: string;
    readonly batchSize: string;
    readonly args: readonly string[];
}

interface LoadingSpeed {
    readonly readBytes: number;
    readonly uploadBytes: number;
}

type Logged<T> = T extends number ? LoggedNumber : T extends string | boolean ? T : T extends bigint | symbol | ArrayBufferView | ((...args: never) => unknown) ? never : T extends readonly unknown[] ? {
    readonly [I in keyof T]: Logged<T[I]>;
} : {
    readonly [Key in keyof T as Key extends "recipe" ? never : Key]: Logged<T[Key]>;
};

type LoggedNumber = number | "NaN" | "Infinity" | "-Infinity";

interface MeasuredSpeed extends DeviceSpeed, LoadingSpeed {
    readonly diskBytes?: number;
}

interface MergekitGiven {
    readonly mergekit: MergekitRecipeInput;
}

interface MergekitWords {
    readonly method?: string;
    readonly parameters: Readonly<Record<string, number | boolean>>;
    readonly isWithoutBase?: boolean;
}

interface MethodDeclaration {
    readonly name: string;
    readonly source: string;
    readonly formula: (options: Options) => Formula;
    readonly summary: string;
    readonly needsBase: boolean;
    readonly parameters: readonly ParameterSpec[];
    readonly options?: readonly OptionSpec[];
    readonly derive?: Derivation;
    readonly needs?: Needs;
    readonly experts?: {
        readonly least: number;
        readonly most?: number;
    };
    readonly mergekit: MergekitWords;
}

type MmluFormat = (typeof mmluFormats)[number];

interface ModelToScore {
    readonly model: string;
    readonly base?: string | undefined;
}

interface NamedLoss {
    readonly name: string;
    readonly loss: number;
}

interface NamedModelLoss {
    readonly name: string;
    readonly loss: number | null;
}

interface Needs {
    readonly gram?: (options: Options) => "whole" | Vectors;
    readonly cuts?: (values: Readonly<Record<string, number>>, count: number) => readonly number[];
    readonly keeps?: (cuts: readonly number[], options: Options) => KeptRange | undefined;
    readonly disagreement?: (values: Readonly<Record<string, number>>) => number;
    readonly leaves?: readonly Leaf[];
}

interface NumbersRef {
    readonly offset: number;
    readonly count: number;
    readonly checksum: string;
}

interface OpeningPayloads {
    start: {
        readonly format: number;
        readonly folder: string;
        readonly began?: string;
        readonly experiment: unknown;
        readonly identity: Readonly<Record<string, string>>;
        readonly versions: Readonly<Record<string, string>>;
        readonly drawn?: Readonly<Record<string, {
            readonly search: number;
            readonly guard: number;
        }>>;
        readonly outOf?: Readonly<Record<string, {
            readonly search: number;
            readonly guard: number;
        }>>;
        readonly parts?: number;
        readonly looks?: number;
        readonly searched?: readonly string[];
    };
    parents: {
        readonly tensors: Readonly<Record<string, Readonly<Record<string, string>>>>;
    };
    budget: {
        readonly budget: RecordedBudget;
    };
    moved: {
        readonly folder: string;
    } & MovedPlaces;
}

interface OptimizerKind {
    readonly create: (options: OptimizerOptions) => Optimizer;
    readonly population: ((dimension: number) => number) | "one point" | "weighings";
    readonly beside?: "mean" | "best so far";
    readonly usesGradients: boolean;
    readonly front?: "walks" | "survivors";
}

interface OptionSpec {
    readonly name: string;
    readonly default: boolean | number;
    readonly limits?: readonly [number, number];
    readonly isInteger?: true;
    readonly isMergekits?: true;
    readonly summary: string;
}

const PHASES: {
    readonly opening: "opening, first rows";
    readonly baselines: "baselines";
    readonly search: "search";
    readonly finalists: "finalists";
    readonly guard: "guard rows";
    readonly texts: "texts";
};

type Packed = string;

interface PairPoint {
    readonly x: number;
    readonly y: number;
}

interface ParameterSpec {
    readonly name: string;
    readonly per: "expert" | "model";
    readonly range: readonly [number, number];
    readonly start: number | "uniform";
    readonly limits?: readonly [number, number];
    readonly isWhole?: true;
    readonly isDeciding?: true;
    readonly unit?: number;
    readonly summary: string;
}

interface ParameterView {
    readonly parameter: string;
    readonly curves: readonly CurveView[];
    readonly leftOut: number;
}

interface ParentFacts {
    readonly gram?: Gram | undefined;
    readonly vectors?: VectorGrams | undefined;
    readonly cuts?: readonly (readonly number[])[] | undefined;
    readonly gains?: readonly number[] | undefined;
    readonly disagreement?: Disagreement | undefined;
}

interface PartPayloads {
    part: {
        readonly of: ScoringStep;
        readonly batches: number;
        readonly logLikelihoods: NumbersRef;
        readonly scope?: ScoringScope;
        readonly time: RecordedTime;
        readonly elapsedMs: number;
    };
    gradient: {
        readonly rowLosses: NumbersRef;
        readonly gradients: NumbersRef;
        readonly time: RecordedTime;
        readonly elapsedMs: number;
    };
}

interface PhaseView {
    readonly phase: string;
    readonly ms: number;
    readonly waitMs: number;
}

interface PickedOutcome extends Outcome {
    readonly pick?: FrontRow;
}

interface PlannedDisk {
    readonly folder: string;
    readonly runBytes: number;
    readonly exportBytes: number;
    readonly fetchBytes: number;
    readonly neededBytes: number;
    readonly freeBytes: number;
}

interface PlannedGeneration {
    readonly candidates: number;
    readonly usesGradients: boolean;
    readonly rows: number;
    readonly tokens: number;
    readonly ms: number;
    readonly busyMs: number;
    readonly readingMs: number;
    readonly mergingMs: number;
    readonly forwardMs: number;
    readonly backwardMs: number;
    readonly flop: number;
    readonly productShare: number;
}

interface PlannedMemory {
    readonly devicePeakBytes: number;
    readonly deviceFreeBytes: number | undefined;
    readonly hostPeakBytes: number;
    readonly hostFreeBytes: number;
    readonly parentsStay: boolean;
    readonly parentsBytes: number;
}

interface PlannedRepository {
    readonly name: string;
    readonly commit: string;
    readonly files: number;
    readonly bytes: number;
    readonly presentBytes: number;
}

interface ProductOptions {
    readonly transposeX: boolean;
    readonly transposeY: boolean;
    readonly precision: Dtype;
}

interface PromptIds {
    readonly ids: Int32Array;
    readonly isCut: boolean;
}

interface ProvenTasksOptions extends Pick<BringOptions, "signal" | "hub" | "onEvent"> {
    readonly moved?: Pick<MovedPlaces, "rows" | "guard"> | undefined;
}

type RecordedBudget = {
    readonly seconds: number;
} | {
    readonly evaluations: number;
};

interface RecordedRung {
    readonly models: readonly Pick<ScoredModel, "name" | "scores">[];
    readonly from: RowCounts;
    readonly to: RowCounts;
    readonly rowLosses: NumbersRef;
    readonly time: RecordedTime;
    readonly elapsedMs: number;
}

interface RecordedTime {
    readonly models: number;
    readonly tokens: number;
    readonly passes: number;
    readonly ms: number;
    readonly waitMs: number;
}

type Repository = HubRepository | CachedRepository;

interface RepositoryFile {
    readonly path: string;
    readonly bytes: number;
    readonly blob?: string | undefined;
    readonly sha256?: string | undefined;
    readonly lastCommit?: {
        readonly id: string;
        readonly date: string;
        readonly title: string;
    } | undefined;
}

type RepositoryType = "model" | "dataset";

interface RequestPace {
    readonly backoffMs: number;
    readonly patienceMs: number;
}

type ResolvedPrecision = Exclude<Precision, "auto">;

interface RowChange {
    readonly number: number;
    readonly winner: number;
    readonly other: number;
    readonly text?: RowExcerpt;
}

type RowCounts = Readonly<Record<string, number>>;

interface RowExcerpt {
    readonly context: string;
    readonly answer: string;
    readonly others: readonly string[];
}

interface RowLoss {
    readonly loss: (logLikelihoods: readonly number[]) => number;
    readonly derivative: (logLikelihoods: readonly number[]) => number[];
}

interface RowOptions {
    readonly format?: MmluFormat;
    readonly description?: boolean;
}

interface RowRecord {
    readonly where: string;
    readonly columns: readonly string[];
    readonly values: Readonly<Record<string, unknown>>;
    readonly share: number;
}

interface RowScoring extends Partial<RowLoss> {
    readonly isRight?: (logLikelihoods: readonly number[]) => boolean;
    readonly metrics?: ReadonlyMap<string, (logLikelihoods: readonly number[]) => number> | undefined;
}

interface RuleFinding extends SubjectJudgement {
    readonly rule: string;
    readonly title: string;
}

interface RuleJudgement {
    readonly verdict: Verdict;
    readonly evidence: string;
}

type RunPhase = (typeof PHASES)[keyof typeof PHASES];

type RunState = "running" | "held" | "finished" | "unjudged" | "interrupted";

interface RunStatus {
    readonly folder: string;
    readonly name: string;
    readonly state: RunState;
    readonly writer?: Writer;
    readonly began?: string;
    readonly phase: RunPhase;
    readonly elapsedMs: number;
    readonly budget?: Budget;
    readonly share?: number;
    readonly generations: number;
    readonly evaluations: number;
    readonly best?: BestModel;
    readonly baselines: readonly NamedModelLoss[];
    readonly front?: {
        readonly members: number;
        readonly picks: readonly StatusPick[];
    };
    readonly found?: FoundGain;
}

interface ScaleSpace {
    readonly range: readonly [number, number];
    readonly sigma: number;
}

interface ScoringScope {
    readonly models: readonly string[];
    readonly rows: RowCounts;
}

type ScoringStep = "rung" | "result" | "finalists" | "verdict";

interface SearchPayloads {
    plan: {
        readonly algorithm: string;
        readonly genes: readonly string[];
        readonly columns?: number;
        readonly ranges: readonly (readonly [low: number, high: number])[];
        readonly start: NumbersRef;
        readonly inject?: NumbersRef;
        readonly candidates: number;
        readonly rowFraction: number;
        readonly elapsedMs: number;
    };
    ask: {
        readonly generation: number;
        readonly points: NumbersRef;
        readonly rows: RowCounts;
        readonly parts?: number;
    };
    result: {
        readonly generation: number;
        readonly losses: readonly number[];
        readonly reference: number;
        readonly rowLosses: NumbersRef;
        readonly gradients?: NumbersRef;
        readonly work: number;
        readonly spent: number;
        readonly time: RecordedTime;
        readonly elapsedMs: number;
    };
}

interface ServerOptions {
    readonly token: string;
    readonly port?: number | undefined;
}

type Shape = readonly number[];

interface SidesPoint {
    readonly name: string;
    readonly kind: GuardedModel["kind"];
    readonly search: number;
    readonly guard: number;
}

interface Snapshot {
    readonly type: RepositoryType;
    readonly name: string;
    readonly requested: HubReference;
    readonly commit: string;
}

type StartRecord = {
    readonly type: "start";
} & RecordPayloads["start"];

interface StarterKitExport {
    readonly checkout: string;
    readonly module: string;
    readonly patch?: string;
    readonly registration: readonly string[];
    readonly commands: readonly string[];
}

type StartingKind = (typeof startingKinds)[number];

interface StartingRun {
    readonly run: string;
    readonly take: StartingKind;
    readonly taken?: TakenStart;
}

interface StatusPick extends FrontPick {
    readonly alike: number;
}

interface Stopwatch {
    readonly lanes: () => number;
    readonly host: () => number;
}

interface StoredValues {
    readonly dtype: Dtype;
    readonly bytes: Uint8Array;
    readonly unread?: UnreadBytes;
}

interface SubjectJudgement extends RuleJudgement {
    readonly subject: string;
}

interface Table {
    readonly header: readonly string[];
    readonly rows: readonly (readonly string[])[];
}

interface TakenStart {
    readonly recipe: string;
    readonly splitSeed: number;
    readonly learnt?: {
        readonly mean: Packed;
        readonly covariance: Packed;
    };
}

interface TaskChanges {
    readonly task: string;
    readonly won: number;
    readonly lost: number;
    readonly same: number;
    readonly gains: readonly {
        readonly rank: number;
        readonly gain: number;
    }[];
    readonly mostWon: readonly RowChange[];
    readonly mostLost: readonly RowChange[];
}

interface TaskPair {
    readonly tasks: readonly [x: string, y: string];
    readonly candidates: readonly PairPoint[];
    readonly front: readonly PairPoint[];
    readonly models: readonly (PairPoint & {
        readonly name: string;
    })[];
}

interface TextScores {
    readonly rouge1: number;
    readonly rouge2: number;
    readonly rougeL: number;
}

interface Typed {
    readonly dtype: DeviceDtype;
    readonly shape: Shape;
}

interface UnreadBytes {
    readonly length: number;
    readonly read: (start: number, into: Uint8Array) => void;
}

class VectorGrams {
    readonly shape: Shape;
    readonly parents: number;
    constructor(shape: Shape, parents: number);
    get count(): number;
    at(vector: number): Gram;
    put(vector: number, productOf: (i: number, j: number) => number): void;
}

type Vectors = "rows" | "columns";

type Verdict = "pass" | "warn" | "fail" | "unknown";

interface VerdictView {
    readonly loss: string;
    readonly table: Table;
    readonly sentences: readonly string[];
    readonly gains: readonly GainView[];
}

type WeightSlopes = Readonly<Record<string, Readonly<Record<string, readonly ArrayLike<number>[]>>>>;

interface WinnersGain {
    readonly name: string;
    readonly combined: JudgedGain;
    readonly tasks: NonNullable<GuardedModel["gains"]>["tasks"];
    readonly rows: Readonly<Record<string, number>>;
}

interface Writer {
    readonly pid?: number;
    readonly host?: string;
    readonly isSeen: boolean;
    readonly inWords: string;
}

interface WrittenFile {
    readonly file: string;
    readonly bytes: number;
    readonly sha256: string;
}

const arceeFusion: Readonly<Record<"arcee_fusion", MethodDeclaration>>;

const benchmarkSchema: z.ZodObject<{
    task: z.ZodString;
    arguments: z.ZodArray<z.ZodString>;
    lmEvalVersion: z.ZodString;
    recipe: z.ZodOptional<z.ZodUnknown>;
    models: z.ZodArray<z.ZodObject<{
        name: z.ZodString;
        kind: z.ZodEnum<{
            model: "model";
            parent: "parent";
            winner: "winner";
        }>;
        source: z.ZodString;
        seconds: z.ZodNumber;
        scores: z.ZodRecord<z.ZodString, z.ZodObject<{
            documents: z.ZodExactOptional<z.ZodNumber>;
            isPart: z.ZodBoolean;
            metrics: z.ZodRecord<z.ZodString, z.ZodObject<{
                value: z.ZodNumber;
                stderr: z.ZodExactOptional<z.ZodNumber>;
            }, z.core.$strict>>;
        }, z.core.$strict>>;
        gains: z.ZodExactOptional<z.ZodRecord<z.ZodString, z.ZodObject<{
            gain: z.ZodNumber;
            interval: z.ZodReadonly<z.ZodTuple<[z.ZodType<number, unknown, z.core.$ZodTypeInternals<number, unknown>>, z.ZodType<number, unknown, z.core.$ZodTypeInternals<number, unknown>>], null>>;
            pValue: z.ZodNumber;
        }, z.core.$strict>>>;
    }, z.core.$strict>>;
}, z.core.$strict>;

const choiceLosses: {
    readonly softmax: {
        readonly formula: "-log p";
        readonly isNormalised: false;
        readonly q: 0;
    };
    readonly "length-normalised": {
        readonly formula: "-log p with log-likelihoods per character";
        readonly isNormalised: true;
        readonly q: 0;
    };
    readonly bounded: {
        readonly formula: "(1 - p^0.7) / 0.7";
        readonly isNormalised: false;
        readonly q: 0.7;
    };
};

const engineNames: readonly ["auto", "ggml", "tfjs", "tfjs-node", "tfjs-node-gpu"];

const linearMethods: Readonly<Record<"linear" | "task_arithmetic", MethodDeclaration>>;

const mergekitRecipeSchema: z.ZodObject<{
    merge_method: z.ZodEnum<{
        [x: string]: string;
    }>;
    base_model: z.ZodOptional<z.ZodType<import("./model-reference.ts").ModelReference, import("./model-reference.ts").ModelReferenceInput, z.core.$ZodTypeInternals<import("./model-reference.ts").ModelReference, import("./model-reference.ts").ModelReferenceInput>>>;
    models: z.ZodOptional<z.ZodArray<z.ZodObject<{
        model: z.ZodType<import("./model-reference.ts").ModelReference, import("./model-reference.ts").ModelReferenceInput, z.core.$ZodTypeInternals<import("./model-reference.ts").ModelReference, import("./model-reference.ts").ModelReferenceInput>>;
        parameters: z.ZodOptional<z.ZodType<Readonly<Record<string, import("./settings.ts").Setting>>, unknown, z.core.$ZodTypeInternals<Readonly<Record<string, import("./settings.ts").Setting>>, unknown>>>;
    }, z.core.$strict>>>;
    slices: z.ZodOptional<z.ZodArray<z.ZodObject<{
        sources: z.ZodArray<z.ZodObject<{
            model: z.ZodType<import("./model-reference.ts").ModelReference, import("./model-reference.ts").ModelReferenceInput, z.core.$ZodTypeInternals<import("./model-reference.ts").ModelReference, import("./model-reference.ts").ModelReferenceInput>>;
            layer_range: z.ZodTuple<[z.ZodInt, z.ZodInt], null>;
            parameters: z.ZodOptional<z.ZodType<Readonly<Record<string, import("./settings.ts").Setting>>, unknown, z.core.$ZodTypeInternals<Readonly<Record<string, import("./settings.ts").Setting>>, unknown>>>;
        }, z.core.$strict>>;
        base_model: z.ZodOptional<z.ZodType<import("./model-reference.ts").ModelReference, import("./model-reference.ts").ModelReferenceInput, z.core.$ZodTypeInternals<import("./model-reference.ts").ModelReference, import("./model-reference.ts").ModelReferenceInput>>>;
        parameters: z.ZodOptional<z.ZodType<Readonly<Record<string, import("./settings.ts").Setting>>, unknown, z.core.$ZodTypeInternals<Readonly<Record<string, import("./settings.ts").Setting>>, unknown>>>;
    }, z.core.$strict>>>;
    modules: z.ZodOptional<z.ZodRecord<z.ZodString, z.ZodObject<{
        models: z.ZodOptional<z.ZodArray<z.ZodObject<{
            model: z.ZodType<import("./model-reference.ts").ModelReference, import("./model-reference.ts").ModelReferenceInput, z.core.$ZodTypeInternals<import("./model-reference.ts").ModelReference, import("./model-reference.ts").ModelReferenceInput>>;
            parameters: z.ZodOptional<z.ZodType<Readonly<Record<string, import("./settings.ts").Setting>>, unknown, z.core.$ZodTypeInternals<Readonly<Record<string, import("./settings.ts").Setting>>, unknown>>>;
        }, z.core.$strict>>>;
        slices: z.ZodOptional<z.ZodArray<z.ZodObject<{
            sources: z.ZodArray<z.ZodObject<{
                model: z.ZodType<import("./model-reference.ts").ModelReference, import("./model-reference.ts").ModelReferenceInput, z.core.$ZodTypeInternals<import("./model-reference.ts").ModelReference, import("./model-reference.ts").ModelReferenceInput>>;
                layer_range: z.ZodTuple<[z.ZodInt, z.ZodInt], null>;
                parameters: z.ZodOptional<z.ZodType<Readonly<Record<string, import("./settings.ts").Setting>>, unknown, z.core.$ZodTypeInternals<Readonly<Record<string, import("./settings.ts").Setting>>, unknown>>>;
            }, z.core.$strict>>;
            base_model: z.ZodOptional<z.ZodType<import("./model-reference.ts").ModelReference, import("./model-reference.ts").ModelReferenceInput, z.core.$ZodTypeInternals<import("./model-reference.ts").ModelReference, import("./model-reference.ts").ModelReferenceInput>>>;
            parameters: z.ZodOptional<z.ZodType<Readonly<Record<string, import("./settings.ts").Setting>>, unknown, z.core.$ZodTypeInternals<Readonly<Record<string, import("./settings.ts").Setting>>, unknown>>>;
        }, z.core.$strict>>>;
        parameters: z.ZodOptional<z.ZodType<Readonly<Record<string, import("./settings.ts").Setting>>, unknown, z.core.$ZodTypeInternals<Readonly<Record<string, import("./settings.ts").Setting>>, unknown>>>;
    }, z.core.$strict>>>;
    parameters: z.ZodOptional<z.ZodType<Readonly<Record<string, import("./settings.ts").Setting>>, unknown, z.core.$ZodTypeInternals<Readonly<Record<string, import("./settings.ts").Setting>>, unknown>>>;
    dtype: z.ZodOptional<z.ZodEnum<{
        bfloat16: "bfloat16";
        float16: "float16";
        float32: "float32";
    }>>;
    out_dtype: z.ZodOptional<z.ZodEnum<{
        bfloat16: "bfloat16";
        float16: "float16";
        float32: "float32";
    }>>;
    tokenizer_source: z.ZodOptional<z.ZodUnion<readonly [z.ZodEnum<{
        base: "base";
        union: "union";
    }>, z.ZodType<import("./model-reference.ts").ModelReference, import("./model-reference.ts").ModelReferenceInput, z.core.$ZodTypeInternals<import("./model-reference.ts").ModelReference, import("./model-reference.ts").ModelReferenceInput>>]>>;
    tokenizer: z.ZodOptional<z.ZodObject<{
        source: z.ZodDefault<z.ZodUnion<readonly [z.ZodEnum<{
            base: "base";
            union: "union";
        }>, z.ZodType<import("./model-reference.ts").ModelReference, import("./model-reference.ts").ModelReferenceInput, z.core.$ZodTypeInternals<import("./model-reference.ts").ModelReference, import("./model-reference.ts").ModelReferenceInput>>]>>;
        pad_to_multiple_of: z.ZodOptional<z.ZodInt>;
    }, z.core.$strict>>;
    chat_template: z.ZodOptional<z.ZodString>;
}, z.core.$strict>;

const mmluFormats: readonly ["mmlu", "mmlu_continuation"];

const modelStock: Readonly<Record<"model_stock", MethodDeclaration>>;

const nearswap: Readonly<Record<"nearswap", MethodDeclaration>>;

const precisions: readonly ["auto", "f32", "bf16", "mixed"];

const rows: {
    readonly ties: {
        readonly sparsifier: "trim";
        readonly elects: true;
        readonly normalize: true;
        readonly source: "Yadav et al. 2023, arXiv:2306.01708";
    };
    readonly dare_linear: {
        readonly sparsifier: "drop";
        readonly elects: false;
        readonly normalize: false;
        readonly source: "Yu et al. 2023, arXiv:2311.03099";
    };
    readonly dare_ties: {
        readonly sparsifier: "drop";
        readonly elects: true;
        readonly normalize: false;
        readonly source: "Yu et al. 2023, arXiv:2311.03099";
    };
    readonly breadcrumbs: {
        readonly sparsifier: "trimBoth";
        readonly elects: false;
        readonly normalize: false;
        readonly source: "Davari and Belilovsky 2023, arXiv:2312.06795";
    };
    readonly breadcrumbs_ties: {
        readonly sparsifier: "trimBoth";
        readonly elects: true;
        readonly normalize: false;
        readonly source: "Davari and Belilovsky 2023, arXiv:2312.06795";
    };
    readonly della: {
        readonly sparsifier: "dropByRank";
        readonly elects: true;
        readonly normalize: true;
        readonly source: "Deep et al. 2024, arXiv:2406.11617";
    };
    readonly della_linear: {
        readonly sparsifier: "dropByRank";
        readonly elects: false;
        readonly normalize: false;
        readonly source: "Deep et al. 2024, arXiv:2406.11617";
    };
};

const sce: Readonly<Record<"sce", MethodDeclaration>>;

const sphericalMethods: Readonly<Record<"slerp" | "nuslerp" | "task_nuslerp" | "multislerp" | "task_multislerp" | "karcher", MethodDeclaration>>;

const startingKinds: readonly ["winner", "distribution"];

const taskVectorMethods: Readonly<Record<keyof typeof rows, MethodDeclaration>>;
