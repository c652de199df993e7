import Streams
import Synchronization

/// Growing pauses between tries, each drawn at random around its middle so that many who failed together do not come
/// back together.
package struct Backoff: Sendable {
    package struct Settings: Sendable, Hashable {
        package var first: Duration
        package var factor: Double
        package var longest: Duration
        /// A pause is drawn between `1 - spread` and `1 + spread` times its middle.
        package var spread: Double

        package init(first: Duration, factor: Double, longest: Duration, spread: Double) {
            self.first = first
            self.factor = factor
            self.longest = longest
            self.spread = spread
        }

        /// As Alertmanager's notifications: 0.5 s at first, half as much again each time, at most a minute.
        package static let delivery = Settings(
            first: .milliseconds(500), factor: 1.5, longest: .seconds(60), spread: 0.5)
        /// For an operator that failed: 100 ms at first, then twice as much, at most 30 s.
        package static let restart = Settings(first: .milliseconds(100), factor: 2, longest: .seconds(30), spread: 0.2)
    }

    private let settings: Settings
    private var middle: Duration

    package init(_ settings: Settings) {
        self.settings = settings
        middle = settings.first
    }

    package mutating func next(_ random: RandomSource) -> Duration {
        defer { middle = min(settings.longest, middle * settings.factor) }
        return middle * (1 - settings.spread + 2 * settings.spread * random.unit())
    }
}

/// Randomness that several tasks share; tests seed theirs.
package final class RandomSource: Sendable {
    private let generator: Mutex<any RandomNumberGenerator & Sendable>

    package init(_ generator: some RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()) {
        self.generator = Mutex(generator)
    }

    /// At least 0, below 1.
    package func unit() -> Double {
        generator.withLock { generator in
            Double(generator.next() >> 11) * 0x1p-53
        }
    }

    /// A random UUID (RFC 9562, version 4) in its text form.
    package func uuid() -> String {
        let (high, low) = generator.withLock { (($0.next() as UInt64), ($0.next() as UInt64)) }
        let versioned = high & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let variant = low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        let digits = "\(Fingerprint(rawValue: versioned))\(Fingerprint(rawValue: variant))"
        var text = ""
        for (place, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(place) { text.append("-") }
            text.append(digit)
        }
        return text
    }
}
