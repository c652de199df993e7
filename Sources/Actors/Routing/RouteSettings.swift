package import Streams

/// One node of the routing tree as it is written: what is nil is inherited from the parent.
package struct RouteSettings: Hashable, Sendable {
    /// By what the alerts of a route are put into groups.
    package enum GroupBy: Hashable, Sendable {
        /// Sorted. None: all alerts of the route are one group.
        case labels([String])
        /// `...`: each label set is a group of its own.
        case all
    }

    package var receiver: String?
    package var groupBy: GroupBy?
    /// Those of `match`, `match_re` and `matchers` together; all of them have to hold.
    package var matchers: [Matcher] = []
    /// Siblings further down may take the alert as well.
    package var continues = false
    package var groupWait: Duration?
    package var groupInterval: Duration?
    package var repeatInterval: Duration?
    /// Names of time intervals; these are not inherited.
    package var muteTimeIntervals: [String] = []
    package var activeTimeIntervals: [String] = []
    /// Told to templates as they are written; templates in them are evaluated there.
    package var labels = LabelSet()
    package var routes: [RouteSettings] = []

    package init(receiver: String? = nil) { self.receiver = receiver }
}
