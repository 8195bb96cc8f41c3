import ai.timefold.solver.core.api.domain.entity.PlanningEntity;
import ai.timefold.solver.core.api.domain.lookup.PlanningId;
import ai.timefold.solver.core.api.domain.solution.PlanningEntityCollectionProperty;
import ai.timefold.solver.core.api.domain.solution.PlanningScore;
import ai.timefold.solver.core.api.domain.solution.PlanningSolution;
import ai.timefold.solver.core.api.domain.solution.ProblemFactCollectionProperty;
import ai.timefold.solver.core.api.domain.valuerange.ValueRangeProvider;
import ai.timefold.solver.core.api.domain.variable.InverseRelationShadowVariable;
import ai.timefold.solver.core.api.domain.variable.NextElementShadowVariable;
import ai.timefold.solver.core.api.domain.variable.PlanningListVariable;
import ai.timefold.solver.core.api.domain.variable.PlanningVariable;
import ai.timefold.solver.core.api.domain.variable.PreviousElementShadowVariable;
import ai.timefold.solver.core.api.domain.variable.ShadowVariable;
import ai.timefold.solver.core.api.domain.variable.VariableListener;
import ai.timefold.solver.core.api.score.buildin.hardsoftlong.HardSoftLongScore;
import ai.timefold.solver.core.api.score.director.ScoreDirector;
import ai.timefold.solver.core.api.score.stream.Constraint;
import ai.timefold.solver.core.api.score.stream.ConstraintFactory;
import ai.timefold.solver.core.api.score.stream.ConstraintProvider;
import ai.timefold.solver.core.api.score.stream.uni.UniConstraintCollector;
import ai.timefold.solver.core.api.solver.SolverFactory;
import ai.timefold.solver.core.config.constructionheuristic.ConstructionHeuristicPhaseConfig;
import ai.timefold.solver.core.config.heuristic.selector.entity.EntitySelectorConfig;
import ai.timefold.solver.core.config.heuristic.selector.move.MoveSelectorConfig;
import ai.timefold.solver.core.config.heuristic.selector.move.composite.UnionMoveSelectorConfig;
import ai.timefold.solver.core.config.heuristic.selector.move.generic.ChangeMoveSelectorConfig;
import ai.timefold.solver.core.config.heuristic.selector.move.generic.list.ListChangeMoveSelectorConfig;
import ai.timefold.solver.core.config.heuristic.selector.move.generic.list.ListSwapMoveSelectorConfig;
import ai.timefold.solver.core.config.heuristic.selector.value.ValueSelectorConfig;
import ai.timefold.solver.core.config.localsearch.LocalSearchPhaseConfig;
import ai.timefold.solver.core.config.localsearch.decider.acceptor.LocalSearchAcceptorConfig;
import ai.timefold.solver.core.config.localsearch.decider.forager.LocalSearchForagerConfig;
import ai.timefold.solver.core.config.solver.EnvironmentMode;
import ai.timefold.solver.core.config.solver.SolverConfig;
import ai.timefold.solver.core.config.solver.termination.TerminationConfig;
import ai.timefold.solver.core.impl.heuristic.selector.common.decorator.SelectionFilter;
import ai.timefold.solver.core.impl.heuristic.move.Move;
import ai.timefold.solver.core.impl.heuristic.selector.move.generic.list.ListAssignMove;
import ai.timefold.solver.core.impl.heuristic.selector.move.generic.list.ListChangeMove;
import ai.timefold.solver.core.impl.heuristic.selector.move.generic.list.ListSwapMove;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Reader;
import java.io.StreamTokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The planning problem as a model for Timefold: java TimefoldModel PROBLEM PLAN MILLISECONDS SEED.
 *
 * <p>Each duty (a specialist on a day) has a list of visits; a visit that is in no list is unserved. Along the
 * list each visit takes the way that costs least (or the chosen one) at the earliest start (from a chosen time
 * on) that keeps skills, windows, shifts, breaks and travel, and is unserved if there is none. So only rooms can
 * be violated; that is the hard score. The soft score is the cost of a plan.
 */
public final class TimefoldModel {

    static final int MINUTES_A_DAY = 24 * 60;
    static final int QUARTER = 15;
    static final int BASE = -1;
    static final int NO_ROOM = -1;

    private TimefoldModel() {}

    public static void main(String[] arguments) throws IOException {
        Schedule problem = new Reading(Path.of(arguments[0])).schedule();
        long limit = Long.parseLong(arguments[2]);
        TerminationConfig patience = new TerminationConfig().withUnimprovedMillisecondsSpentLimit(limit / 5);
        SolverConfig config = new SolverConfig()
                .withSolutionClass(Schedule.class)
                .withEntityClasses(Duty.class, Visit.class)
                .withConstraintProviderClass(Rules.class)
                .withEnvironmentMode(EnvironmentMode.NO_ASSERT)
                .withPhases(
                        new ConstructionHeuristicPhaseConfig(),
                        search(listMoves()).withTerminationConfig(patience),
                        search(allMoves()))
                .withTerminationSpentLimit(Duration.ofMillis(limit))
                .withRandomSeed(Long.parseLong(arguments[3]));
        Schedule solved = SolverFactory.<Schedule>create(config).buildSolver().solve(problem);
        write(solved, Path.of(arguments[1]));
        System.out.println(solved.score);
    }

    /** Moves of visits between the lists. */
    private static List<MoveSelectorConfig> listMoves() {
        return List.of(
                new ListChangeMoveSelectorConfig()
                        .withFilterClass(ToAbleDuty.class)
                        .withFixedProbabilityWeight(1.0),
                new ListSwapMoveSelectorConfig()
                        .withFilterClass(BothAble.class)
                        .withFixedProbabilityWeight(0.5));
    }

    /** Besides, changes of how and how early a visit may be served. */
    private static List<MoveSelectorConfig> allMoves() {
        List<MoveSelectorConfig> moves = new ArrayList<>(listMoves());
        for (String variable : List.of("choice", "earliest")) {
            moves.add(new ChangeMoveSelectorConfig()
                    .withEntitySelectorConfig(new EntitySelectorConfig(Visit.class))
                    .withValueSelectorConfig(new ValueSelectorConfig(variable))
                    .withFixedProbabilityWeight(0.1));
        }
        return moves;
    }

    private static LocalSearchPhaseConfig search(List<MoveSelectorConfig> moves) {
        return new LocalSearchPhaseConfig()
                .withMoveSelectorConfig(new UnionMoveSelectorConfig().withMoveSelectorList(moves))
                .withAcceptorConfig(new LocalSearchAcceptorConfig().withLateAcceptanceSize(400))
                .withForagerConfig(new LocalSearchForagerConfig().withAcceptedCountLimit(1));
    }

    /** One line for each served visit: visit, duty, start, option. */
    private static void write(Schedule solved, Path path) throws IOException {
        try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(path))) {
            for (Visit visit : solved.visits) {
                if (visit.isServed()) {
                    State at = visit.state;
                    out.println(visit.id + " " + visit.duty.id + " " + at.start + " " + at.ask.option);
                }
            }
        }
    }

    // --- The problem -----------------------------------------------------------------------------------

    record Span(int begin, int end) {}

    record Shift(int begin, int end, List<Span> breaks) {

        /** When she arrives who leaves then and travels so long in one stretch. */
        int arrival(int leave, int minutes) {
            int begin = leave;
            for (Span pause : minutes == 0 ? List.<Span>of() : breaks) {
                if (pause.begin < begin + minutes && pause.end > begin) {
                    begin = pause.end;
                }
            }
            return begin + minutes;
        }

        /** The earliest start on the tick, not before the given one, that overlaps no break. */
        int start(int earliest, int minutes, int tick) {
            int start = (earliest + tick - 1) / tick * tick;
            for (Span pause : breaks) {
                if (pause.begin < start + minutes && pause.end > start) {
                    start = (pause.end + tick - 1) / tick * tick;
                }
            }
            return start;
        }
    }

    /** One option in one window, open rooms considered; the price has all but travel and who serves. */
    record Ask(int day, int option, int place, int room, int minutes, int begin, int end, int price) {}

    /** The rooms of one site on one day: how many there are in each tick. */
    static final class Room {
        int[] counts;
    }

    /** A specialist on one day. */
    @PlanningEntity
    public static class Duty {
        @PlanningId public int id;
        int day;
        int base;
        int maxTravel;
        List<Shift> shifts;
        Facts facts;

        @PlanningListVariable(allowsUnassignedValues = true)
        public List<Visit> visits = new ArrayList<>();

        public Duty() {}

        State begin() {
            return new State(null, 0, 0, base, shifts.get(0).begin, 0, 0, 0);
        }
    }

    /** Numbers that hold for the whole problem. */
    static final class Facts {
        int tick;
        int travelMinute;
        int minutePrice;
        int[][] travel;
        Room[] rooms;
    }

    /**
     * How things stand after a visit: `travelled` is the way so far, `total` the way with the return to the
     * base, `cost` what the visit itself costs. A null `ask` means that it could not be served here.
     */
    record State(Ask ask, int start, int shift, int place, int end, int travelled, int total, long cost) {

        State skipped() {
            return ask == null ? this : new State(null, start, shift, place, end, travelled, total, 0);
        }
    }

    @PlanningEntity
    public static class Visit {
        @PlanningId public int id;
        long loss;
        Map<Integer, Ask[]> asks;
        Map<Integer, Integer> surcharges;

        @InverseRelationShadowVariable(sourceVariableName = "visits")
        public Duty duty;

        @PreviousElementShadowVariable(sourceVariableName = "visits")
        public Visit previous;

        @NextElementShadowVariable(sourceVariableName = "visits")
        public Visit next;

        /** The option to take, counted from 1; 0 takes the one that costs least. */
        @PlanningVariable(valueRangeProviderRefs = "choices")
        public Integer choice = 0;

        /** Not before this minute of the day: so a visit can wait for a room or for a better time. */
        @PlanningVariable(valueRangeProviderRefs = "times")
        public Integer earliest = 0;

        @ShadowVariable(variableListenerClass = Times.class, sourceVariableName = "duty")
        @ShadowVariable(variableListenerClass = Times.class, sourceVariableName = "previous")
        @ShadowVariable(variableListenerClass = Times.class, sourceVariableName = "choice")
        @ShadowVariable(variableListenerClass = Times.class, sourceVariableName = "earliest")
        public State state;

        public Visit() {}

        boolean isServed() {
            return state != null && state.ask != null;
        }

        boolean mayBeIn(Duty other) {
            return surcharges.containsKey(other.id);
        }

        /** Its state after the visits before it; null without a duty. */
        State decide() {
            if (duty == null) {
                return null;
            }
            State before = previous == null || previous.state == null ? duty.begin() : previous.state;
            Integer surcharge = surcharges.get(duty.id);
            State best = null;
            long bestValue = Long.MAX_VALUE;
            if (surcharge != null) {
                for (Ask ask : asks.get(duty.day)) {
                    boolean allowed = choice == 0 || choice == ask.option + 1;
                    State after = allowed ? after(before, ask, surcharge) : null;
                    if (after != null) {
                        long minutes = after.end - before.end;
                        long value = after.cost + duty.facts.minutePrice * minutes;
                        if (value < bestValue) {
                            bestValue = value;
                            best = after;
                        }
                    }
                }
            }
            return best == null ? before.skipped() : best;
        }

        /** The earliest time for this ask; null if there is none. */
        private State after(State before, Ask ask, int surcharge) {
            int place = ask.place == BASE ? duty.base : ask.place;
            int[][] travel = duty.facts.travel;
            int from = before.place;
            int leave = before.end;
            int travelled = before.travelled;
            for (int number = before.shift; number < duty.shifts.size(); number++) {
                Shift shift = duty.shifts.get(number);
                if (number > before.shift) {
                    from = duty.base;
                    leave = shift.begin;
                    travelled = before.total;
                }
                int way = from == place ? 0 : travel[from][place];
                int earliest = Math.max(shift.arrival(leave, way), Math.max(ask.begin, this.earliest));
                int start = shift.start(earliest, ask.minutes, duty.facts.tick);
                int end = start + ask.minutes;
                int back = place == duty.base ? 0 : travel[place][duty.base];
                int total = travelled + way + back;
                boolean fits = end <= ask.end && end <= shift.end && shift.arrival(end, back) <= shift.end;
                if (fits && total <= duty.maxTravel) {
                    long extra = (long) (total - before.total) * duty.facts.travelMinute;
                    long cost = ask.price + surcharge + extra;
                    return new State(ask, start, number, place, end, travelled + way, total, cost);
                }
            }
            return null;
        }
    }

    /** Keeps the states up to date along the lists. */
    public static class Times implements VariableListener<Schedule, Visit> {
        @Override
        public void beforeVariableChanged(ScoreDirector<Schedule> director, Visit visit) {}

        @Override
        public void afterVariableChanged(ScoreDirector<Schedule> director, Visit visit) {
            for (Visit one = visit; one != null; one = one.duty == null ? null : one.next) {
                State state = one.decide();
                if (Objects.equals(state, one.state)) {
                    return;
                }
                director.beforeVariableChanged(one, "state");
                one.state = state;
                director.afterVariableChanged(one, "state");
            }
        }

        @Override
        public void beforeEntityAdded(ScoreDirector<Schedule> director, Visit visit) {}

        @Override
        public void afterEntityAdded(ScoreDirector<Schedule> director, Visit visit) {}

        @Override
        public void beforeEntityRemoved(ScoreDirector<Schedule> director, Visit visit) {}

        @Override
        public void afterEntityRemoved(ScoreDirector<Schedule> director, Visit visit) {}
    }

    @PlanningSolution
    public static class Schedule {
        @PlanningEntityCollectionProperty public List<Duty> duties;

        @PlanningEntityCollectionProperty @ValueRangeProvider public List<Visit> visits;

        @ValueRangeProvider(id = "choices")
        public List<Integer> choices = new ArrayList<>();

        @ValueRangeProvider(id = "times")
        public List<Integer> times = new ArrayList<>();

        @PlanningScore public HardSoftLongScore score;

        public Schedule() {}
    }

    // --- The score -------------------------------------------------------------------------------------

    public static class Rules implements ConstraintProvider {
        @Override
        public Constraint[] defineConstraints(ConstraintFactory factory) {
            return new Constraint[] {rooms(factory), unserved(factory), served(factory)};
        }

        private Constraint rooms(ConstraintFactory factory) {
            return factory.forEach(Visit.class)
                    .filter(visit -> visit.isServed() && visit.state.ask.room != NO_ROOM)
                    .groupBy(visit -> visit.duty.facts.rooms[visit.state.ask.room], new TooMany())
                    .filter((room, lack) -> lack > 0)
                    .penalizeLong(HardSoftLongScore.ONE_HARD, (room, lack) -> lack)
                    .asConstraint("rooms");
        }

        private Constraint unserved(ConstraintFactory factory) {
            return factory.forEachIncludingUnassigned(Visit.class)
                    .filter(visit -> !visit.isServed())
                    .penalizeLong(HardSoftLongScore.ONE_SOFT, visit -> visit.loss)
                    .asConstraint("unserved");
        }

        private Constraint served(ConstraintFactory factory) {
            return factory.forEach(Visit.class)
                    .filter(Visit::isServed)
                    .penalizeLong(HardSoftLongScore.ONE_SOFT, visit -> visit.state.cost)
                    .asConstraint("served");
        }
    }

    /** The ticks, counted as often as a room is lacking. */
    static final class TooMany implements UniConstraintCollector<Visit, TooMany.Use, Long> {

        static final class Use {
            private int[] free;
            private long lack;

            Runnable add(Visit visit) {
                int tick = visit.duty.facts.tick;
                int first = visit.state.start / tick;
                int last = (visit.state.end + tick - 1) / tick;
                if (free == null) {
                    free = visit.duty.facts.rooms[visit.state.ask.room].counts.clone();
                }
                for (int at = first; at < last; at++) {
                    free[at]--;
                    lack += free[at] < 0 ? 1 : 0;
                }
                return () -> {
                    for (int at = first; at < last; at++) {
                        lack -= free[at] < 0 ? 1 : 0;
                        free[at]++;
                    }
                };
            }
        }

        @Override
        public Supplier<Use> supplier() {
            return Use::new;
        }

        @Override
        public BiFunction<Use, Visit, Runnable> accumulator() {
            return Use::add;
        }

        @Override
        public Function<Use, Long> finisher() {
            return use -> use.lack;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof TooMany;
        }

        @Override
        public int hashCode() {
            return TooMany.class.hashCode();
        }
    }

    // --- Moves that make sense -------------------------------------------------------------------------

    /** Only to duties that have the skill, the language and a window that day. */
    public static class ToAbleDuty implements SelectionFilter<Schedule, Move<Schedule>> {
        @Override
        public boolean accept(ScoreDirector<Schedule> director, Move<Schedule> move) {
            if (move instanceof ListAssignMove<Schedule> assign) {
                return ((Visit) assign.getMovedValue()).mayBeIn((Duty) assign.getDestinationEntity());
            }
            if (move instanceof ListChangeMove<Schedule> change) {
                return ((Visit) change.getMovedValue()).mayBeIn((Duty) change.getDestinationEntity());
            }
            return true;
        }
    }

    /** Only where each can be in the other's duty. */
    public static class BothAble implements SelectionFilter<Schedule, Move<Schedule>> {
        @Override
        public boolean accept(ScoreDirector<Schedule> director, Move<Schedule> move) {
            if (move instanceof ListSwapMove<Schedule> swap) {
                return ((Visit) swap.getLeftValue()).mayBeIn((Duty) swap.getRightEntity())
                        && ((Visit) swap.getRightValue()).mayBeIn((Duty) swap.getLeftEntity());
            }
            return true;
        }
    }

    // --- Reading: whole numbers, in the order in which timefold_plan.py writes them ------------------------

    private static final class Reading {
        private final StreamTokenizer tokens;
        private final Facts facts = new Facts();
        private int mostOptions;
        private int begin = MINUTES_A_DAY;
        private int end;

        Reading(Path path) throws IOException {
            Reader reader = Files.newBufferedReader(path);
            tokens = new StreamTokenizer(reader);
        }

        Schedule schedule() throws IOException {
            facts.tick = next();
            facts.travelMinute = next();
            facts.minutePrice = next();
            facts.travel = new int[next()][];
            for (int place = 0; place < facts.travel.length; place++) {
                facts.travel[place] = row(facts.travel.length);
            }
            facts.rooms = new Room[next()];
            for (int room = 0; room < facts.rooms.length; room++) {
                facts.rooms[room] = new Room();
                facts.rooms[room].counts = row(next());
            }
            Schedule schedule = new Schedule();
            schedule.duties = new ArrayList<>();
            for (int count = next(); schedule.duties.size() < count; ) {
                schedule.duties.add(duty(schedule.duties.size()));
            }
            schedule.visits = new ArrayList<>();
            for (int count = next(); schedule.visits.size() < count; ) {
                schedule.visits.add(visit(schedule.visits.size()));
            }
            for (Duty duty : schedule.duties) {
                Visit last = null;
                for (int count = next(); count > 0; count--) {
                    Visit visit = schedule.visits.get(next());
                    visit.earliest = next();
                    visit.choice = next();
                    visit.duty = duty;
                    visit.previous = last;
                    if (last != null) {
                        last.next = visit;
                    }
                    visit.state = visit.decide();
                    duty.visits.add(visit);
                    last = visit;
                }
            }
            for (int choice = 0; choice <= mostOptions; choice++) {
                schedule.choices.add(choice);
            }
            for (int time = QUARTER; time < MINUTES_A_DAY; time += QUARTER) {
                schedule.times.add(0);
                if (time >= begin && time < end) {
                    schedule.times.add(time);
                }
            }
            return schedule;
        }

        private Duty duty(int id) throws IOException {
            Duty duty = new Duty();
            duty.id = id;
            duty.day = next();
            duty.base = next();
            duty.maxTravel = next();
            duty.facts = facts;
            duty.shifts = new ArrayList<>();
            for (int count = next(); duty.shifts.size() < count; ) {
                Span span = new Span(next(), next());
                List<Span> breaks = new ArrayList<>();
                for (int pauses = next(); breaks.size() < pauses; ) {
                    breaks.add(new Span(next(), next()));
                }
                duty.shifts.add(new Shift(span.begin, span.end, breaks));
                begin = Math.min(begin, span.begin);
                end = Math.max(end, span.end);
            }
            return duty;
        }

        private Visit visit(int id) throws IOException {
            Visit visit = new Visit();
            visit.id = id;
            visit.loss = next();
            Map<Integer, List<Ask>> asks = new HashMap<>();
            for (int count = next(); count > 0; count--) {
                Ask ask = new Ask(next(), next(), next(), next(), next(), next(), next(), next());
                mostOptions = Math.max(mostOptions, ask.option + 1);
                asks.computeIfAbsent(ask.day, day -> new ArrayList<>()).add(ask);
            }
            visit.asks = new HashMap<>();
            asks.forEach((day, some) -> visit.asks.put(day, some.toArray(new Ask[0])));
            visit.surcharges = new HashMap<>();
            for (int count = next(); count > 0; count--) {
                visit.surcharges.put(next(), next());
            }
            return visit;
        }

        private int[] row(int length) throws IOException {
            int[] row = new int[length];
            for (int at = 0; at < length; at++) {
                row[at] = next();
            }
            return row;
        }

        private int next() throws IOException {
            if (tokens.nextToken() != StreamTokenizer.TT_NUMBER) {
                throw new IOException("a number is missing in line " + tokens.lineno());
            }
            return (int) tokens.nval;
        }
    }
}
