/// What a function takes and gives.
package struct FunctionSignature: Sendable, Hashable {
    package var name: String
    /// The types of the arguments; where fewer or more are allowed, the last one stands for those too.
    package var argumentTypes: [ValueType]
    package var variadic: Variadic
    package var returnType: ValueType
    /// Only with the switch for experimental functions.
    package var isExperimental: Bool

    /// How the number of arguments may differ from `argumentTypes.count`.
    package enum Variadic: Sendable, Hashable {
        case none
        /// The last argument may be left out, or stand there up to so many times.
        case upTo(Int)
        /// The last argument may be left out, or repeated without end.
        case unbounded
    }

    package init(
        _ name: String, _ argumentTypes: [ValueType], variadic: Variadic = .none,
        returns returnType: ValueType = .vector,
        isExperimental: Bool = false
    ) {
        self.name = name
        self.argumentTypes = argumentTypes
        self.variadic = variadic
        self.returnType = returnType
        self.isExperimental = isExperimental
    }

    /// How many arguments it takes at least.
    package var argumentsMin: Int { variadic == .none ? argumentTypes.count : argumentTypes.count - 1 }

    /// How many arguments it takes at most; nil: any number.
    package var argumentsMax: Int? {
        switch variadic {
        case .none: argumentTypes.count
        case .upTo(let times): argumentTypes.count - 1 + times
        case .unbounded: nil
        }
    }
}
