//! What became of each of many secrets.

use super::undone::Undone;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{self, Cell, Table};
use serde::Serialize;
use std::collections::BTreeMap;

/// One secret.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    pub(crate) path: String,
    /// Where it comes from, of a copy.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) moved: Option<Moved>,
    pub(crate) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
}

/// Of a secret that is copied or moved.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Moved {
    pub(crate) from: String,
    /// How many versions are taken along.
    pub(crate) versions: usize,
    /// How many older active ones are not, where that was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) left_behind: Option<usize>,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    first_failure: Option<Failure>,
}

pub(crate) const FAILED: &str = "failed";
pub(crate) const NOT_DONE: &str = "not done";
pub(crate) const NO_VALUE: &str = "no value";
/// It stands there, and nobody could tell what as.
pub(crate) const NOT_COMPARED: &str = "not compared";

/// What was neither done nor there already.
const BAD: [&str; 5] = [FAILED, NOT_DONE, NO_VALUE, NOT_COMPARED, "in the way"];

/// What to do where only secrets without a value are left.
pub(crate) const NOTHING_TO_COPY: &str =
    "what has no active version has nothing that could be copied: put a version, or delete it";

/// What to do where only secrets are left that are there, and that the caller may not reveal.
pub(crate) const NOTHING_TO_COMPARE: &str = "--on-conflict skip leaves what is there and can't be compared as it is, --on-conflict update puts a version; or have somebody do it who may reveal it";

impl Report {
    pub(crate) fn add(&mut self, path: impl Into<String>, status: &'static str) {
        self.push(Row { path: path.into(), moved: None, status, message: None });
    }

    pub(crate) fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub(crate) fn fail(&mut self, path: impl Into<String>, failure: Failure) {
        self.leave_out(Row { path: path.into(), moved: None, status: FAILED, message: None }, failure);
    }

    pub(crate) fn undone(&mut self, path: impl Into<String>, undone: Undone) {
        self.leave_out(Row { path: path.into(), moved: None, status: undone.status, message: None }, undone.failure);
    }

    /// A secret with which it wasn't done, and why.
    pub(crate) fn leave_out(&mut self, row: Row, failure: Failure) {
        self.push(Row { message: Some(failure.to_string()), ..row });
        self.first_failure.get_or_insert(failure);
    }

    fn counts(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for row in &self.rows {
            *counts.entry(row.status).or_default() += 1;
        }
        counts
    }

    /// How many versions of the secrets with this status are taken along, and how many are not.
    fn versions(&self, status: &str) -> [usize; 2] {
        let of_status = self.rows.iter().filter(|row| row.status == status).filter_map(|row| row.moved.as_ref());
        of_status.fold([0, 0], |[taken, left], moved| [taken + moved.versions, left + moved.left_behind.unwrap_or(0)])
    }

    fn is_of_copies(&self) -> bool {
        self.rows.iter().any(|row| row.moved.is_some())
    }

    /// Every secret with what will become of it.
    pub(crate) fn show_plan(&self, context: &Context) -> Result<(), Failure> {
        output::show(context.terminal, &self.document(true), || {
            if self.is_of_copies() {
                let mut table = Table::new(["FROM", "TO", "STATUS", "VERSIONS", "LEFT BEHIND"]);
                for row in &self.rows {
                    let Some(moved) = &row.moved else { continue };
                    let left = moved.left_behind.map_or_else(|| Cell::from("-"), |left| Cell::from(left as u64));
                    let versions = Cell::from(moved.versions as u64);
                    let (from, to) = (moved.from.as_str(), row.path.as_str());
                    table.row([from.into(), to.into(), Cell::status(row.status), versions, left]);
                }
                return table;
            }
            let mut table = Table::new(["PATH", "STATUS"]);
            for row in &self.rows {
                table.row([row.path.as_str().into(), Cell::status(row.status)]);
            }
            table
        })
    }

    /// How many became what; fails when not all was done.
    pub(crate) fn finish(mut self, context: &Context) -> Result<(), Failure> {
        for row in &self.rows {
            if let Some(message) = row.message.as_deref().filter(|_| !context.terminal.json) {
                output::note(&format!("{}: {message}", row.path));
            }
        }
        output::show(context.terminal, &self.document(false), || {
            if self.is_of_copies() {
                let mut table = Table::new(["STATUS", "SECRETS", "VERSIONS", "LEFT BEHIND"]);
                for (status, count) in self.counts() {
                    let [taken, left] = self.versions(status).map(|count| Cell::from(count as u64));
                    table.row([Cell::status(status), count.into(), taken, left]);
                }
                return table;
            }
            let mut table = Table::new(["STATUS", "SECRETS"]);
            for (status, count) in self.counts() {
                table.row([Cell::status(status), count.into()]);
            }
            table
        })?;
        let undone = self.rows.iter().filter(|row| BAD.contains(&row.status)).count();
        let Some(first) = self.first_failure.take() else { return Ok(()) };
        if undone == self.rows.len() {
            return Err(first);
        }
        let any = |wanted: &[&str]| self.rows.iter().any(|row| wanted.contains(&row.status));
        let message = format!("{undone} of {} secrets are not done", self.rows.len());
        let hint = if any(&[FAILED, NOT_DONE, "in the way"]) {
            "the same command again goes on where this one ended"
        } else if any(&[NOT_COMPARED]) {
            NOTHING_TO_COMPARE
        } else {
            NOTHING_TO_COPY
        };
        Err(Failure::new(Exit::Partly, message).hint(hint).because(first))
    }

    fn document(&self, is_plan: bool) -> serde_json::Value {
        serde_json::json!({ "dryRun": is_plan, "counts": self.counts(), "secrets": self.rows })
    }
}
