package import Streams

/// `metric{label="value"} offset 5m @ 0`.
package struct VectorSelector: Sendable, Hashable {
    /// The metric's name before the braces; "" where there is none. It is among the matchers too.
    package var name: String
    /// All tests, that of `__name__` among them, in the order of the text, the name before the braces last.
    package var matchers: [Matcher]
    package var offset: DurationValue
    package var at: AtModifier?
    package var extent: SelectorExtent
    package var place: Place

    package init(
        name: String, matchers: [Matcher], offset: DurationValue = .zero, at: AtModifier? = nil,
        extent: SelectorExtent = .samples, place: Place = Place(0, 0)
    ) {
        self.name = name
        self.matchers = matchers
        self.offset = offset
        self.at = at
        self.extent = extent
        self.place = place
    }
}

/// How a selector treats the borders of its range.
package enum SelectorExtent: Sendable, Hashable {
    /// Only the samples inside.
    case samples
    /// `anchored`: with the last sample before the range as its left border's value.
    case anchored
    /// `smoothed`: with both borders interpolated.
    case smoothed
}

/// `@ ...`: at which time a selector or subquery is evaluated in place of the query's own.
package enum AtModifier: Sendable, Hashable {
    case timestamp(Timestamp)
    /// The query's start.
    case start
    /// The query's end.
    case end
}

/// `selector[5m]`; offset, `@` and extent are those of the selector.
package struct MatrixSelector: Sendable, Hashable {
    package var selector: VectorSelector
    package var range: DurationValue
    package var place: Place

    package init(selector: VectorSelector, range: DurationValue, place: Place = Place(0, 0)) {
        self.selector = selector
        self.range = range
        self.place = place
    }
}

/// `expression[1h:5m] offset 5m @ end()`.
package struct Subquery: Sendable, Hashable {
    package var inner: Expression
    package var range: DurationValue
    /// Nil: the default evaluation interval.
    package var step: DurationValue?
    package var offset: DurationValue
    package var at: AtModifier?
    package var place: Place

    package init(
        _ inner: Expression, range: DurationValue, step: DurationValue?, offset: DurationValue = .zero,
        at: AtModifier? = nil, place: Place = Place(0, 0)
    ) {
        self.inner = inner
        self.range = range
        self.step = step
        self.offset = offset
        self.at = at
        self.place = place
    }
}
