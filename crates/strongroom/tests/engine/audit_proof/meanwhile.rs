//! Reading a log that goes on: what others do between two steps, and between two questions of one, is no tampering.

use super::export::verified;
use super::history::{Event, event, happen, history, run};
use super::seen::Doing;
use super::{Log, Node, steps_of};
use proptest::prelude::*;
use std::sync::Arc;

fn doings(of: &Arc<(Log, Node)>, events: Vec<Vec<Event>>) -> Vec<Doing> {
    let doing = |events: Vec<Event>| -> Doing {
        let of = of.clone();
        Box::pin(async move {
            for event in events {
                happen(&of.0, &of.1, event).await;
            }
        })
    };
    events.into_iter().map(doing).collect()
}

/// What others do before each of the next questions: mostly nothing.
fn meanwhile() -> impl Strategy<Value = Vec<Vec<Event>>> {
    let between = prop_oneof![2 => Just(Vec::new()), 3 => prop::collection::vec(event(), 1..4)];
    prop::collection::vec(between, 1..24)
}

#[test]
fn between_two_steps() {
    let meanwhile = prop::collection::vec(prop::collection::vec(event(), 0..4), 1..12);
    let input = (prop::collection::vec(event(), 0..12), meanwhile, 1..9_u32, any::<bool>());
    run(96, &input, async |(events, meanwhile, limit, by_two)| {
        let (log, node) = history(&events).await;
        let other = log.node().await;
        let anchor = log.stored_checkpoints().await.pop();
        let (mut cursor, mut next) = (None, 0);
        loop {
            let asked = if by_two && next % 2 == 1 { &other } else { &node };
            let verify = asked.engine.verify_audit(&asked.session);
            let step = verify.run(cursor, anchor.clone(), steps_of(limit)).await.expect("verifies");
            prop_assert_eq!(&step.findings, &[], "{:?} {}", step.phase, next);
            cursor = step.next;
            if cursor.is_none() {
                return Ok(());
            }
            for event in meanwhile.get(next).into_iter().flatten() {
                happen(&log, &node, *event).await;
            }
            next += 1;
        }
    });
}

#[test]
fn within_a_step() {
    let input = (prop::collection::vec(event(), 0..8), meanwhile(), 1..40_u32);
    run(192, &input, async |(events, meanwhile, limit)| {
        let of = Arc::new(history(&events).await);
        let (log, _) = &*of;
        let reader = log.node().await;
        let anchor = log.stored_checkpoints().await.pop();
        log.seen.meanwhile(doings(&of, meanwhile));
        let mut cursor = None;
        loop {
            let step = reader.engine.verify_audit(&reader.session).run(cursor, anchor.clone(), steps_of(limit)).await;
            let step = step.expect("verifies");
            prop_assert_eq!(&step.findings, &[], "{:?}", step.phase);
            cursor = step.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    });
}

#[test]
fn while_it_is_exported() {
    let input = (prop::collection::vec(event(), 0..8), meanwhile(), prop_oneof![Just(0_usize), 400..1_200_usize]);
    run(64, &input, async |(events, meanwhile, more)| {
        let of = Arc::new(history(&events).await);
        let (log, node) = &*of;
        log.write(more).await;
        log.seen.meanwhile(doings(&of, meanwhile));
        let mut whole = node.engine.export_whole_audit(&node.session).await.expect("begins");
        let (findings, _) = verified(&mut whole, node).await;
        prop_assert_eq!(findings, []);
        Ok(())
    });
}
