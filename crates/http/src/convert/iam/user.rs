use super::user;
use strongroom_api::User;

pub(crate) fn known_user(it: &strongroom_domain::directory::User) -> User {
    User { identity: it.id.to_string(), user: user(it) }
}
