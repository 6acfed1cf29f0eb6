mod common;
use std::sync::Arc;
use std::time::Instant;
use strongroom_domain::port::*;
use strongroom_domain::version::VersionSelector;
use strongroom_testkit::{build, units};
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bench() {
    let folder = tempfile::tempdir().unwrap();
    let opened = common::open(folder.path()).await;
    let scope = build::scope();
    let t = Instant::now();
    let mut secrets = vec![];
    for i in 0..2000 {
        secrets.push(build::secret(scope, &format!("/d{}/e{}/{i}", i % 50, i % 7)));
    }
    let mut js = vec![];
    for s in &secrets {
        let w = opened.writer.clone();
        let u = units::insert(s);
        js.push(tokio::spawn(async move { w.commit(u).await }));
    }
    for j in js {
        j.await.unwrap().unwrap();
    }
    println!("insert 2000 concurrent {:?}", t.elapsed());
    let t = Instant::now();
    for i in 0..5000 {
        let s = &secrets[i % 2000];
        opened.store.sealed(&s.scope, &s.path, VersionSelector::Current, Freshness::Latest).await.unwrap().unwrap();
    }
    println!("sealed {:?} each", t.elapsed() / 5000);
    let t = Instant::now();
    for i in 0..2000 {
        let s = &secrets[i % 2000];
        opened.store.version(s.id, build::number(1)).await.unwrap().unwrap();
    }
    println!("orm version {:?} each", t.elapsed() / 2000);
    let t = Instant::now();
    for _ in 0..200 {
        opened.store.browse(&secrets[0].scope, &build::directory("/"), None, 100).await.unwrap();
    }
    println!("browse {:?} each", t.elapsed() / 200);
    let t = Instant::now();
    for _ in 0..50 {
        opened.store.list(&secrets[0].scope, "/", Some("/d3"), 100).await.unwrap();
    }
    println!("list {:?} each", t.elapsed() / 50);
    let t = Instant::now();
    for i in 0..500 {
        opened.writer.record(build::access(&secrets[i], 1, build::at(3))).await.unwrap();
    }
    println!("access alone {:?} each", t.elapsed() / 500);
    let secrets = Arc::new(secrets);
    for conc in [32, 256] {
        let t = Instant::now();
        let js: Vec<_> = (0..conc)
            .map(|c| {
                let w = opened.writer.clone();
                let s = secrets.clone();
                tokio::spawn(async move {
                    for i in 0..(6400 / conc) {
                        w.record(build::access(&s[(i * 37 + c) % 2000], 1, build::at(3))).await.unwrap();
                    }
                })
            })
            .collect();
        for j in js {
            j.await.unwrap();
        }
        println!("access x{conc} {:?}/s", 6400.0 / t.elapsed().as_secs_f64());
    }
    let t = Instant::now();
    let mut s = secrets[0].clone();
    for _ in 0..100 {
        let (u, n) = units::append(&s);
        opened.writer.commit(u).await.unwrap();
        s = n;
    }
    println!("put alone {:?} each", t.elapsed() / 100);
    let t = Instant::now();
    for i in 1..100 {
        let (u, n) = units::erase(&s, build::number(i), None);
        opened.writer.commit(u).await.unwrap();
        s = n;
    }
    println!("erase alone {:?} each", t.elapsed() / 99);
    let db = rusqlite::Connection::open(common::file(folder.path())).unwrap();
    for sql in [
        "SELECT 1 FROM secrets WHERE organisation=?1 AND region=?2 AND project=?3 AND path>=?4 AND path<?5 ORDER BY path LIMIT 5",
        "SELECT 1 FROM secrets WHERE organisation=?1 AND region=?2 AND project=?3 AND parent=?4 AND name>?5 ORDER BY name LIMIT 5",
        "SELECT s.parent FROM secrets s WHERE s.organisation = ?1 AND s.region = ?2 AND s.project = ?3 AND s.parent > ?4 AND s.parent < ?5 ORDER BY s.parent LIMIT 1",
        "SELECT resource_id FROM audit_records WHERE (stream, sequence) > (?1, ?2) AND action = ?3",
    ] {
        let mut st = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let n = st.parameter_count();
        let rows: Vec<String> = st
            .query_map(rusqlite::params_from_iter((0..n).map(|_| "x")), |r| r.get(3))
            .unwrap()
            .map(|r| r.unwrap())
            .collect();
        println!("{rows:?}");
    }
}
