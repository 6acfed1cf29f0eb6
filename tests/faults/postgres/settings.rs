//! What the configuration allows of a database that is refused without.

use super::place::Place;
use strongroom_test_postgres::Mode;
use strongroom_tests::{Client, DevEnv, Launch};

/// Refused with this said, but for the setting.
fn allowed_by(place: &Place, url: &str, setting: &str, said: &str) {
    let config = place.data.path().join("strongroomd.toml");
    let write = |database: &str| {
        let data = place.data.path().display();
        let text = format!(
            "data_dir = \"{data}\"\nlisten.address = \"127.0.0.1:0\"\n[database]\nurl = \"{url}\"\n{database}\n"
        );
        std::fs::write(&config, text).unwrap();
    };
    for without in [String::new(), format!("{setting} = false")] {
        write(&without);
        let ended = Launch::serve(&config).run();
        assert_eq!(ended.code, Some(78), "{without}: {ended:?}");
        assert!(ended.stderr.contains(said), "{said}: {ended:?}");
    }
    write(&format!("{setting} = true"));
    let server = Launch::serve(&config).start();
    let client = Client::of_dev(server.address(), &DevEnv::read(place.data.path()).unwrap());
    client.create("/settings/a", "value").ok(201);
    server.stop();
}

#[test]
fn a_server_that_may_lose_commits() {
    let place = Place::new();
    place.dev().stop();
    place.cluster.stop(Mode::Fast);
    place.cluster.set("fsync", "off");
    place.cluster.start_again();
    allowed_by(&place, place.database.url(), "allow_unsafe_durability", "fsync = off");
}

#[test]
fn an_unencrypted_connection_to_another_machine() {
    let place = Place::new();
    place.dev().stop();
    // The way back to this machine, but not by a name that says so.
    let url = place.database.tcp_url().replace("127.0.0.1", "[::ffff:127.0.0.1]") + "?sslmode=disable";
    allowed_by(&place, &url, "allow_plaintext", "sslmode");
}
