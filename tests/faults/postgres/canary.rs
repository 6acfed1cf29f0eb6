//! Known values, with the store in PostgreSQL: none of them is in the files of the database, nor in what it logs.

use super::place::Place;
use crate::audit_log::AuditLog;
use crate::canary::{Canaries, everything, records, root_key, search};
use crate::canary_operator::operator;
use crate::database;
use strongroom_test_postgres::{Cluster, Mode};

#[test]
fn no_value_token_or_root_key_is_left_anywhere() {
    // Every statement with its parameters.
    let settings = [("log_statement", "all"), ("log_min_duration_statement", "0"), ("log_min_messages", "debug1")];
    let builder = Cluster::builder().in_memory();
    let place = Place::over(settings.into_iter().fold(builder, |builder, (name, value)| builder.set(name, value)));
    let data = place.data.path();
    let server = Place::launch(data, place.database.url()).log("trace").start();
    let client = server.client();
    let mut canaries = Canaries::default();
    canaries.needles.add("the token", client.token.as_deref().unwrap().as_bytes());
    canaries.needles.add("the root key", &root_key(data));
    everything(&client, &mut canaries);
    let printed = operator(server.address(), data, Some(place.database.url()), &client, &mut canaries);
    let others = || {
        let records = records(&AuditLog::verify_in(&place.database));
        // Everything is in its file then.
        place.cluster.stop(Mode::Fast);
        let log = place.cluster.log();
        assert!(
            log.contains("INSERT INTO secret_versions") && log.contains("$1 ="),
            "the database's log is not verbose"
        );
        let files = database::files(place.cluster.data()).into_iter();
        let mut others: Vec<_> = files.map(|(file, bytes)| (file.display().to_string(), bytes)).collect();
        let holds = |text: &str| others.iter().any(|(_, bytes)| memchr::memmem::find(bytes, text.as_bytes()).is_some());
        assert!(holds("/c/generated"), "the store is not in these files");
        others.push(("the database's log".to_owned(), log.into_bytes()));
        others.extend(records);
        others.extend(printed);
        others
    };
    search(server, data, others, &canaries);
}
