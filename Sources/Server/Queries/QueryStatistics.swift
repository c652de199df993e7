import Streams

/// What `stats=` adds to an answer, in Prometheus's form.
enum QueryStatistics {
    static func json(_ timings: QueryRunner.Timings) -> JSONValue {
        func seconds(_ duration: Duration) -> JSONValue { .number(formatFloat(duration.inSeconds, .fixed)) }
        let evaluated = seconds(timings.prepared + timings.evaluated)
        return [
            "timings": [
                "evalTotalTime": evaluated, "resultSortTime": 0, "queryPreparationTime": seconds(timings.prepared),
                "innerEvalTime": seconds(timings.evaluated), "execQueueTime": seconds(timings.queued),
                "execTotalTime": seconds(timings.queued + timings.prepared + timings.evaluated),
            ]
        ]
    }
}
