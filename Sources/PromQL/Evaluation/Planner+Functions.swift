import Streams

extension Planner {
    /// Functions whose result depends on the time of evaluation even when their arguments don't.
    private static let timeDependent: Set<String> = [
        "days_in_month", "day_of_month", "day_of_week", "day_of_year", "end", "hour", "minute", "month", "year",
        "predict_linear", "range", "start", "step", "time", "timestamp",
    ]

    private static let bucketFunctions: Set<String> = [
        "histogram_fraction", "histogram_quantile", "histogram_quantiles",
    ]

    mutating func plan(_ call: FunctionCall) throws(EvaluationError) -> Part {
        let name = call.function.name
        let arguments = call.arguments.map(\.unwrapped)
        if let fact = QueryFact(rawValue: name), arguments.isEmpty {
            // A constant of the query, as a literal would be.
            return Part(plan: .queryFact(fact), isStepInvariant: true)
        }
        if name == "info" { return try planInfo(arguments) }

        var parts: [Part] = []
        let skips = HistogramFact(rawValue: name)?.ignoresBuckets == true
        let needs = Self.bucketFunctions.contains(name)
        for argument in arguments {
            parts.append(
                try inside(skippingBuckets: skips, needingBuckets: needs) { planner throws(EvaluationError) in
                    try planner.plan(argument)
                })
        }
        var isStepInvariant = !Self.timeDependent.contains(name) && parts.allSatisfy(\.isStepInvariant)
        if name == "timestamp", case .vectorSelector = arguments[0], parts[0].isStepInvariant { isStepInvariant = true }
        let plans = parts.map { isStepInvariant ? $0.plan : $0.insideVarying }
        let plan = try plan(name, call, arguments, plans)
        return Part(plan: plan, isStepInvariant: isStepInvariant, isWrapped: isStepInvariant)
    }

    private mutating func plan(
        _ name: String, _ call: FunctionCall, _ arguments: [Expression], _ plans: [Plan]
    ) throws(EvaluationError) -> Plan {
        if let function = WindowFunction(rawValue: name) { return try window(function, arguments, plans) }
        if let function = ElementFunction(rawValue: name) {
            return plans.isEmpty ? .calendar(function) : .elements(function, plans[0])
        }
        if let function = BoundedFunction(rawValue: name) {
            let first = plans.count > 1 ? plans[1] : .number(1)
            return .bounded(function, plans[0], first, plans.count > 2 ? plans[2] : .number(0))
        }
        if let fact = HistogramFact(rawValue: name) { return .histogramFact(fact, plans[0]) }
        switch name {
        case "time": return .time
        case "pi": return .number(.pi)
        case "scalar": return .scalar(of: plans[0])
        case "vector": return .vector(plans[0])
        case "max_of": return .scalarOperation(.larger, plans[0], plans[1])
        case "min_of": return .scalarOperation(.smaller, plans[0], plans[1])
        case "timestamp":
            if case .vectorSelector(let node) = arguments[0] { return .selector(try number(of: node), .time) }
            return .evaluationTimes(of: plans[0])
        case "start_timestamp":
            guard case .vectorSelector(let node) = arguments[0] else { return .nothing(plans[0]) }
            return .selector(try number(of: node), .start)
        case "absent": return .absent(plans[0], Self.absentLabels(arguments[0]))
        case "sort", "sort_desc":
            let order = SortPlan.Order.value(descending: name == "sort_desc")
            return .sort(SortPlan(inner: plans[0], order: order, place: call.place))
        case "sort_by_label", "sort_by_label_desc":
            let labels = try arguments.dropFirst().map { argument throws(EvaluationError) in
                try Self.string(argument, name)
            }
            let order = SortPlan.Order.labels(labels, descending: name == "sort_by_label_desc")
            return .sort(SortPlan(inner: plans[0], order: order, place: call.place))
        case "label_replace": return try labelReplace(arguments, plans[0])
        case "label_join": return try labelJoin(arguments, plans[0])
        case "histogram_quantile":
            let question = HistogramPlan.Question.quantile(plans[0], arguments[0].place)
            return .histogram(HistogramPlan(question: question, inner: plans[1], innerPlace: arguments[1].place))
        case "histogram_quantiles":
            let label = try Self.string(arguments[1], name)
            let quantiles = zip(plans, arguments).dropFirst(2).map { ($0, $1.place) }
            let question = HistogramPlan.Question.quantiles(Array(quantiles), label: label)
            return .histogram(HistogramPlan(question: question, inner: plans[0], innerPlace: arguments[0].place))
        case "histogram_fraction":
            let question = HistogramPlan.Question.fraction(plans[0], plans[1])
            return .histogram(HistogramPlan(question: question, inner: plans[2], innerPlace: arguments[2].place))
        default:
            throw .execution("function \(quoted(name)) is not supported")
        }
    }

    private mutating func window(
        _ function: WindowFunction, _ arguments: [Expression], _ plans: [Plan]
    ) throws(EvaluationError) -> Plan {
        guard let place = arguments.firstIndex(where: { $0.type == .matrix }) else {
            throw .execution("\(function.rawValue) needs a range vector")
        }
        var parameters = plans
        parameters.remove(at: place)
        let source: WindowPlan.Source
        let range: Int64
        var origin = arguments[0].place
        switch plans[place] {
        case .samples(let selector):
            source = .selector(selector)
            range = selectors[selector].range ?? 0
            let extent = selectors[selector].extent
            guard function.allows(extent) else { throw Self.misused(extent, function) }
        case .subquery(let plan):
            source = .subquery(plan)
            range = plan.range
            // Prometheus has lost the position by the time it has something to tell.
            if place == 0 { origin = Place(0, 0) }
        default: throw .execution("\(function.rawValue) needs a range vector")
        }
        var labels = LabelSet()
        if function == .absent { labels = Self.absentLabels(arguments[place]) }
        return .window(
            WindowPlan(
                function: function, source: source, range: range, parameters: parameters, place: origin,
                absentLabels: labels))
    }

    private static func misused(_ extent: SelectorExtent, _ function: WindowFunction) -> EvaluationError {
        let isAnchored = extent == .anchored
        let allowed = isAnchored ? WindowFunction.anchorable : WindowFunction.smoothable
        let names = allowed.map(\.rawValue).joined(separator: ", ")
        return .execution(
            "\(isAnchored ? "anchored" : "smoothed") modifier can only be used with: \(names)"
                + " - not with \(function.rawValue)")
    }

    private mutating func number(of node: VectorSelector) throws(EvaluationError) -> Int {
        add(try selector(node, range: nil))
    }

    private static func string(_ expression: Expression, _ function: String) throws(EvaluationError) -> String {
        guard case .string(let node) = expression else { throw .execution("\(function) needs a string") }
        return node.value
    }

    private func labelReplace(_ arguments: [Expression], _ inner: Plan) throws(EvaluationError) -> Plan {
        var texts: [String] = []
        for argument in arguments.dropFirst() { texts.append(try Self.string(argument, "label_replace")) }
        let expression: RegularExpression
        do throws(RegularExpression.SyntaxError) {
            expression = try RegularExpression(texts[3])
        } catch {
            throw .execution("invalid regular expression in label_replace(): \(texts[3])")
        }
        guard LabelSet.isLabelName(texts[0]) else {
            throw .execution("invalid destination label name in label_replace(): \(texts[0])")
        }
        return .labelReplace(
            LabelReplacePlan(
                inner: inner, target: texts[0], replacement: texts[1], source: texts[2], expression: expression))
    }

    private func labelJoin(_ arguments: [Expression], _ inner: Plan) throws(EvaluationError) -> Plan {
        var texts: [String] = []
        for argument in arguments.dropFirst() { texts.append(try Self.string(argument, "label_join")) }
        for source in texts.dropFirst(2) where !LabelSet.isLabelName(source) {
            throw .execution("invalid source label name in label_join(): \(source)")
        }
        guard LabelSet.isLabelName(texts[0]) else {
            throw .execution("invalid destination label name in label_join(): \(texts[0])")
        }
        return .labelJoin(
            LabelJoinPlan(inner: inner, target: texts[0], separator: texts[1], sources: Array(texts.dropFirst(2))))
    }

    /// The labels that the selector demands exactly: what is known of a series that is not there.
    static func absentLabels(_ expression: Expression) -> LabelSet {
        let matchers: [Matcher]
        switch expression {
        case .vectorSelector(let node): matchers = node.matchers
        case .matrixSelector(let node): matchers = node.selector.matchers
        default: return LabelSet()
        }
        var labels = LabelSet()
        var seen: Set<String> = []
        for matcher in matchers where matcher.name != LabelSet.metricName {
            if matcher.op == .equal, seen.insert(matcher.name).inserted {
                labels[matcher.name] = matcher.value
            } else {
                labels[matcher.name] = nil
            }
        }
        return labels
    }

    private mutating func planInfo(_ arguments: [Expression]) throws(EvaluationError) -> Part {
        let inner = try plan(arguments[0])
        var matchers: [Matcher] = []
        if arguments.count > 1, case .vectorSelector(let node) = arguments[1] { matchers = node.matchers }
        let (at, offset) = Self.referenceTime(of: arguments[0])
        let names = Self.infoNames(matchers.filter { $0.name == LabelSet.metricName })
        let data = matchers.filter { $0.name != LabelSet.metricName }
        let reference = VectorSelector(name: "", matchers: names + data, offset: offset, at: at)
        let number = add(try selector(reference, range: nil))
        let plan = Plan.info(
            InfoPlan(inner: inner.insideVarying, selector: number, nameMatchers: names, dataMatchers: data))
        // The second argument counts as any other would: without `@` it varies.
        let isStepInvariant = inner.isStepInvariant && arguments.count < 2
        return Part(plan: plan, isStepInvariant: isStepInvariant, isWrapped: isStepInvariant)
    }

    /// Which metrics are info metrics for a call: `target_info` where nothing is said.
    private static func infoNames(_ matchers: [Matcher]) -> [Matcher] {
        if matchers.isEmpty { return [Matcher(LabelSet.metricName, equals: "target_info")] }
        if matchers.contains(where: { $0.op == .equal || $0.op == .matches }) { return matchers }
        guard let any = try? Matcher(LabelSet.metricName, .matches, ".+_info") else {
            preconditionFailure("a constant expression does not compile")
        }
        return [any] + matchers
    }

    /// `@` and offset of the first selector inside, through the subqueries around it.
    private static func referenceTime(of expression: Expression) -> (AtModifier?, DurationValue) {
        guard let (at, offset) = firstSelector(expression) else { return (nil, .zero) }
        return (at, .fixed(offset))
    }

    private static func firstSelector(_ expression: Expression) -> (AtModifier?, Duration)? {
        switch expression {
        case .vectorSelector(let node): return (node.at, node.offset.fixed ?? .zero)
        case .matrixSelector(let node): return (node.selector.at, node.selector.offset.fixed ?? .zero)
        case .subquery(let node):
            guard let (at, offset) = firstSelector(node.inner) else { return nil }
            return at != nil ? (at, offset) : (node.at, offset + (node.offset.fixed ?? .zero))
        case .unary(let node): return firstSelector(node.operand)
        case .binary(let node): return firstSelector(node.left) ?? firstSelector(node.right)
        case .aggregation(let node):
            return firstSelector(node.inner) ?? node.parameter.flatMap { firstSelector($0) }
        case .call(let node):
            for argument in node.arguments {
                if let found = firstSelector(argument) { return found }
            }
            return nil
        case .parenthesized(let node): return firstSelector(node.inner)
        case .number, .string: return nil
        }
    }
}
