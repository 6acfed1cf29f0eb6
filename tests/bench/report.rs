//! What was measured, as a table or as JSON.

use crate::load::Shot;
use serde_json::{Value, json};
use std::fmt::Write;

/// What takes its turn, and what it is measured against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// The place of its yardstick among the rows.
    pub(crate) of: usize,
    /// The share of its yardstick that it should reach.
    pub(crate) least: Option<f64>,
}

/// The turns at one number of connections.
pub(crate) struct Report {
    connections: usize,
    rounds: usize,
    seconds: u64,
    rows: &'static [Row],
    shots: Vec<Vec<Shot>>,
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
    pub(crate) fn new(rows: &'static [Row], connections: usize, rounds: usize, seconds: u64) -> Self {
        let shots = rows.iter().map(|_| Vec::new()).collect();
        Self { connections, rounds, seconds, rows, shots, fsync: Vec::new() }
    }

    /// Adds the turn of the row of this name.
    pub(crate) fn add(&mut self, name: &str, shot: Shot) {
        for (row, shots) in self.rows.iter().zip(&mut self.shots) {
            if row.name == name {
                shots.push(shot);
                return;
            }
        }
    }

    pub(crate) fn fsync(&mut self, micros: Vec<u32>) {
        self.fsync.extend(micros);
    }

    fn rates(&self, row: usize) -> Vec<f64> {
        self.shots[row].iter().map(|shot| shot.requests_per_second).collect()
    }

    /// The median of the rounds' shares, each of the yardstick in the same round.
    fn share(&self, row: usize) -> f64 {
        let yardstick = self.rates(self.rows[row].of);
        median(self.rates(row).iter().zip(yardstick).map(|(rate, yardstick)| rate / yardstick).collect())
    }

    fn summary(&self, row: usize) -> Summary {
        let shots = &self.shots[row];
        let latencies: Vec<u32> = shots.iter().flat_map(|shot| &shot.latencies).copied().collect();
        let [p50_ms, p99_ms] = percentiles(latencies);
        Summary {
            requests_per_second: median(self.rates(row)),
            share: self.share(row),
            p50_ms,
            p99_ms,
            cpu_micros: median(shots.iter().map(|shot| shot.cpu_micros).collect()),
        }
    }

    /// Whether each row reaches its share.
    pub(crate) fn is_high_enough(&self) -> bool {
        self.rows.iter().enumerate().all(|(at, row)| row.least.is_none_or(|least| self.share(at) >= least))
    }

    pub(crate) fn to_table(&self) -> String {
        let mut table = format!(
            "{} keep-alive connections, {} rounds of {} s each in turns, medians\n\n",
            self.connections, self.rounds, self.seconds
        );
        let _ = writeln!(
            table,
            "{:<16}{:>12}{:>10}  {:<16}{:>10}{:>10}{:>15}",
            "", "requests/s", "share", "of", "p50 ms", "p99 ms", "server CPU µs"
        );
        for (at, row) in self.rows.iter().enumerate() {
            let Summary { requests_per_second, share, p50_ms, p99_ms, cpu_micros } = self.summary(at);
            let _ = writeln!(
                table,
                "{:<16}{requests_per_second:>12.0}{share:>10.3}  {:<16}{:>10}{:>10}{:>15}",
                row.name,
                self.rows[row.of].name,
                known(p50_ms, 3),
                known(p99_ms, 3),
                known(cpu_micros, 1),
            );
        }
        let [p50, p99] = percentiles(self.fsync.clone());
        let _ = writeln!(table, "\nfsync probe (4 KiB appended, fdatasync): p50 {p50:.3} ms, p99 {p99:.3} ms");
        table
    }

    pub(crate) fn to_json(&self) -> Value {
        let result = |(at, row): (usize, &Row)| {
            let Summary { requests_per_second, share, p50_ms, p99_ms, cpu_micros } = self.summary(at);
            json!({
                "what": row.name, "requestsPerSecond": requests_per_second, "share": share, "of": self.rows[row.of].name,
                "p50Ms": p50_ms, "p99Ms": p99_ms, "serverCpuMicros": cpu_micros,
                "requestsPerSecondByRound": self.rates(at),
            })
        };
        let results: Vec<Value> = self.rows.iter().enumerate().map(result).collect();
        let [p50, p99] = percentiles(self.fsync.clone());
        json!({
            "connections": self.connections, "rounds": self.rounds, "secondsPerTurn": self.seconds, "results": results,
            "fsyncProbe": {"bytes": 4096, "p50Ms": p50, "p99Ms": p99},
        })
    }
}

/// Empty for what was not measured.
fn known(number: f64, decimals: usize) -> String {
    if number.is_nan() { String::new() } else { format!("{number:.decimals$}") }
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
    use super::{Report, Row, median, percentiles};
    use crate::load::Shot;

    const ROWS: &[Row] = &[
        Row { name: "bare", of: 0, least: None },
        Row { name: "reveal", of: 0, least: Some(0.20) },
        Row { name: "put", of: 0, least: Some(0.07) },
    ];

    fn report(rates: [[f64; 3]; 3]) -> Report {
        let mut report = Report::new(ROWS, 32, 3, 1);
        for (row, rates) in ROWS.iter().zip(rates) {
            for requests_per_second in rates {
                report.add(row.name, Shot { requests_per_second, latencies: vec![100, 200, 300], cpu_micros: 7.0 });
            }
        }
        report.fsync(vec![500; 10]);
        report
    }

    #[test]
    fn shares_are_those_of_the_same_round() {
        // A machine that gets twice as fast, and a server that always does a quarter.
        let steady = report([[100.0, 200.0, 400.0], [25.0, 50.0, 100.0], [8.0, 16.0, 32.0]]);
        assert!((steady.share(1) - 0.25).abs() < 1e-9);
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
