//! What was measured, as a table or as JSON.

use crate::load::Shot;
use serde_json::{Value, json};
use std::fmt::Write;

/// The shares of the bare server that reveal and put must reach.
const REVEAL_SHARE: f64 = 0.20;
const PUT_SHARE: f64 = 0.07;

/// What took its turn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measured {
    Bare,
    Reveal,
    Put,
}

impl Measured {
    const ALL: [Self; 3] = [Self::Bare, Self::Reveal, Self::Put];

    const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare hyper",
            Self::Reveal => "reveal",
            Self::Put => "put",
        }
    }
}

/// The turns at one number of connections.
pub(crate) struct Report {
    connections: usize,
    rounds: usize,
    seconds: u64,
    shots: [Vec<Shot>; 3],
    fsync: Vec<u32>,
}

/// All turns of one.
struct Summary {
    requests_per_second: f64,
    share: f64,
    p50_ms: f64,
    p99_ms: f64,
    cpu_micros: f64,
}

impl Report {
    pub(crate) fn new(connections: usize, rounds: usize, seconds: u64) -> Self {
        Self { connections, rounds, seconds, shots: [Vec::new(), Vec::new(), Vec::new()], fsync: Vec::new() }
    }

    pub(crate) fn add(&mut self, what: Measured, shot: Shot) {
        self.shots[what as usize].push(shot);
    }

    pub(crate) fn fsync(&mut self, micros: Vec<u32>) {
        self.fsync.extend(micros);
    }

    fn rates(&self, what: Measured) -> Vec<f64> {
        self.shots[what as usize].iter().map(|shot| shot.requests_per_second).collect()
    }

    /// The median of the rounds' shares, each of the bare server in the same round.
    fn share(&self, what: Measured) -> f64 {
        let bare = self.rates(Measured::Bare);
        median(self.rates(what).iter().zip(bare).map(|(rate, bare)| rate / bare).collect())
    }

    fn summary(&self, what: Measured) -> Summary {
        let shots = &self.shots[what as usize];
        let latencies: Vec<u32> = shots.iter().flat_map(|shot| &shot.latencies).copied().collect();
        let [p50_ms, p99_ms] = percentiles(latencies);
        Summary {
            requests_per_second: median(self.rates(what)),
            share: self.share(what),
            p50_ms,
            p99_ms,
            cpu_micros: median(shots.iter().map(|shot| shot.cpu_micros).collect()),
        }
    }

    /// Whether reveal and put reach their shares.
    pub(crate) fn is_high_enough(&self) -> bool {
        self.share(Measured::Reveal) >= REVEAL_SHARE && self.share(Measured::Put) >= PUT_SHARE
    }

    pub(crate) fn to_table(&self) -> String {
        let mut table = format!(
            "{} keep-alive connections, {} rounds of {} s each in turns, medians\n\n",
            self.connections, self.rounds, self.seconds
        );
        let _ = writeln!(
            table,
            "{:<12}{:>12}{:>12}{:>10}{:>10}{:>14}",
            "", "requests/s", "of bare", "p50 ms", "p99 ms", "server CPU µs"
        );
        for what in Measured::ALL {
            let Summary { requests_per_second, share, p50_ms, p99_ms, cpu_micros } = self.summary(what);
            let _ = writeln!(
                table,
                "{:<12}{requests_per_second:>12.0}{share:>12.3}{p50_ms:>10.3}{p99_ms:>10.3}{cpu_micros:>14.1}",
                what.name()
            );
        }
        let [p50, p99] = percentiles(self.fsync.clone());
        let _ = writeln!(table, "\nfsync probe (4 KiB appended, fdatasync): p50 {p50:.3} ms, p99 {p99:.3} ms");
        table
    }

    pub(crate) fn to_json(&self) -> Value {
        let results: Vec<Value> = Measured::ALL
            .into_iter()
            .map(|what| {
                let Summary { requests_per_second, share, p50_ms, p99_ms, cpu_micros } = self.summary(what);
                json!({
                    "what": what.name(), "requestsPerSecond": requests_per_second, "shareOfBare": share,
                    "p50Ms": p50_ms, "p99Ms": p99_ms, "serverCpuMicros": cpu_micros,
                    "requestsPerSecondByRound": self.rates(what),
                })
            })
            .collect();
        let [p50, p99] = percentiles(self.fsync.clone());
        json!({
            "connections": self.connections, "rounds": self.rounds, "secondsPerTurn": self.seconds, "results": results,
            "fsyncProbe": {"bytes": 4096, "p50Ms": p50, "p99Ms": p99},
        })
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    match numbers.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => numbers[len / 2],
        len => f64::midpoint(numbers[len / 2 - 1], numbers[len / 2]),
    }
}

/// The 50th and the 99th of a hundred, in milliseconds.
fn percentiles(mut micros: Vec<u32>) -> [f64; 2] {
    micros.sort_unstable();
    [50, 99].map(|percent| {
        let at = (micros.len() * percent / 100).min(micros.len().saturating_sub(1));
        micros.get(at).map_or(f64::NAN, |micros| f64::from(*micros) / 1_000.0)
    })
}

#[cfg(test)]
mod tests {
    use super::{Measured, Report, median, percentiles};
    use crate::load::Shot;

    fn report(rates: [[f64; 3]; 3]) -> Report {
        let mut report = Report::new(32, 3, 1);
        for (what, rates) in Measured::ALL.into_iter().zip(rates) {
            for requests_per_second in rates {
                report.add(what, Shot { requests_per_second, latencies: vec![100, 200, 300], cpu_micros: 7.0 });
            }
        }
        report.fsync(vec![500; 10]);
        report
    }

    #[test]
    fn shares_are_those_of_the_same_round() {
        // A machine that gets twice as fast, and a server that always does a quarter.
        let steady = report([[100.0, 200.0, 400.0], [25.0, 50.0, 100.0], [8.0, 16.0, 32.0]]);
        assert!((steady.share(Measured::Reveal) - 0.25).abs() < 1e-9);
        assert!(steady.is_high_enough());
        assert!(!report([[100.0; 3], [19.0; 3], [8.0; 3]]).is_high_enough());
        assert!(!report([[100.0; 3], [25.0; 3], [6.0; 3]]).is_high_enough());
        assert!(steady.to_table().contains("0.250"), "{}", steady.to_table());
        assert_eq!(steady.to_json()["results"][1]["p50Ms"], 0.2);
    }

    #[test]
    fn medians_and_percentiles() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        let [p50, p99] = percentiles((1..=1_000).rev().collect());
        assert!((p50 - 0.501).abs() < 1e-9 && (p99 - 0.991).abs() < 1e-9, "{p50} {p99}");
        assert!(percentiles(Vec::new())[0].is_nan());
    }
}
