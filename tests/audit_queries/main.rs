//! How long the first page of the audit log takes, for each of its filters, among many records: on SQLite and on PostgreSQL.
#![expect(clippy::disallowed_methods, reason = "measures by the real clock")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "prints what it measured")]

mod progress;
mod records;
mod site;

use clap::Parser;
use progress::Progress;
use records::{Records, costly_filters, single_filters};
use site::Site;
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use strongroom::audit::AuditQuery;

/// Any failure ends the run.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// What the first page of a single filter may take, at the middle of all tries.
const ASKED: Duration = Duration::from_millis(20);

/// The first page of each filter of the audit log, among many records.
#[derive(Parser)]
#[command(name = "audit_queries")]
struct Arguments {
    /// How many records there are
    #[arg(long, default_value_t = 1_000_000, value_name = "N")]
    records: u64,
    /// How often each page is asked for
    #[arg(long, default_value_t = 21, value_name = "N")]
    tries: usize,
    /// Only `sqlite` or only `postgres`
    #[arg(long, value_name = "DATABASE")]
    only: Option<String>,
    /// Fail when a single filter takes longer than 20 ms; `searchText` and several together may
    #[arg(long)]
    check: bool,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("audit_queries: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Outcome<bool> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut is_fine = true;
    for database in ["sqlite", "postgres"] {
        if arguments.only.as_deref().is_none_or(|only| only == database) {
            let folder = tempfile::tempdir()?;
            let cluster = (database == "postgres").then(strongroom_test_postgres::database);
            let url = cluster.as_ref().map(strongroom_test_postgres::Database::url);
            is_fine &= runtime.block_on(async {
                let site = Site::open(folder.path(), url).await?;
                measure(database, site, arguments).await
            })?;
        }
    }
    Ok(is_fine || !arguments.check)
}

async fn measure(database: &str, site: Site, arguments: &Arguments) -> Outcome<bool> {
    let records = Records::new(site.organisation);
    let begun = Instant::now();
    site.seed(&records, arguments.records, Progress::begin(format!("{database}, written"), arguments.records)).await?;
    let seeded = begun.elapsed();
    site.index(Progress::begin(format!("{database}, indexed"), arguments.records)).await?;
    let indexed = begun.elapsed().saturating_sub(seeded);
    println!("{database}: {} records, written in {seeded:.0?}, indexed in {indexed:.0?}", arguments.records);
    println!("  {:<34} {:>10} {:>10} {:>7} {:>8}", "filter", "median", "worst", "items", "of");
    let mut is_fine = true;
    let single = single_filters().into_iter().map(|filter| (filter, true));
    let costly = costly_filters().into_iter().map(|filter| (filter, false));
    for ((name, filter), is_bounded) in single.chain(costly) {
        let query = AuditQuery { filter, page: 1, limit: 100, cursor: None };
        let page = site.page(&query).await?;
        let mut times = Vec::with_capacity(arguments.tries);
        for _ in 0..arguments.tries.max(1) {
            let begun = Instant::now();
            site.page(&query).await?;
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
        let too_long = is_bounded && median > ASKED;
        is_fine &= !too_long;
        let mark = if too_long { " over 20 ms" } else { "" };
        println!("  {name:<34} {median:>10.2?} {worst:>10.2?} {:>7} {:>8}{mark}", page.items.len(), page.total_items);
    }
    site.close().await;
    Ok(is_fine)
}
