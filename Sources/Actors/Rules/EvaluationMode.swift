/// When the rules of a pipeline are evaluated.
package enum EvaluationMode: String, Hashable, Sendable, CaseIterable {
    /// As soon as a batch that touches a rule's inputs is applied, and when time alone changes the result.
    case streaming
    /// On the group's interval only, exactly as Prometheus does.
    case interval
}
