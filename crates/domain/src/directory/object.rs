use super::{
    AccessCredential, Binding, BoundTo, FederatedIdentity, IdentityProvider, OrganisationMember, Project, Role,
    ServiceAccount, Team, TeamMember, User,
};
use crate::id::OrganisationId;
use std::borrow::Cow;
use uuid::Uuid;

macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// A kind of object in the directory.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ObjectKind {
            $($(#[$doc])* $name,)*
        }

        impl ObjectKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in stores.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// The kind of this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
            }
        }

        /// An object of the directory.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum DirectoryObject {
            $($(#[$doc])* $name($name),)*
        }

        impl DirectoryObject {
            /// What it is.
            #[must_use]
            pub const fn kind(&self) -> ObjectKind {
                match self {
                    $(Self::$name(_) => ObjectKind::$name,)*
                }
            }
        }

        $(
            impl From<$name> for DirectoryObject {
                fn from(object: $name) -> Self {
                    Self::$name(object)
                }
            }

            impl TryFrom<DirectoryObject> for $name {
                type Error = DirectoryObject;

                fn try_from(object: DirectoryObject) -> Result<Self, DirectoryObject> {
                    match object {
                        DirectoryObject::$name(object) => Ok(object),
                        other => Err(other),
                    }
                }
            }
        )*
    };
}

objects! {
    /// A user.
    User = "user";
    /// A user's membership in an organisation.
    OrganisationMember = "organisation_member";
    /// A team.
    Team = "team";
    /// A user's membership in a team.
    TeamMember = "team_member";
    /// A service account.
    ServiceAccount = "service_account";
    /// An access key and secret of a service account.
    AccessCredential = "access_credential";
    /// A role with its rules.
    Role = "role";
    /// A binding of a role.
    Binding = "binding";
    /// A provider of foreign identities.
    IdentityProvider = "identity_provider";
    /// What a foreign subject becomes.
    FederatedIdentity = "federated_identity";
    /// A project.
    Project = "project";
}

impl DirectoryObject {
    /// Its identity.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        match self {
            Self::User(it) => it.id.uuid(),
            Self::OrganisationMember(it) => it.id.uuid(),
            Self::Team(it) => it.id.uuid(),
            Self::TeamMember(it) => it.id.uuid(),
            Self::ServiceAccount(it) => it.id.uuid(),
            Self::AccessCredential(it) => it.id.uuid(),
            Self::Role(it) => it.id.uuid(),
            Self::Binding(it) => it.id.uuid(),
            Self::IdentityProvider(it) => it.id.uuid(),
            Self::FederatedIdentity(it) => it.id.uuid(),
            Self::Project(it) => it.id.uuid(),
        }
    }

    /// Whose it is; a user is nobody's.
    #[must_use]
    pub const fn organisation(&self) -> Option<OrganisationId> {
        match self {
            Self::User(_) => None,
            Self::OrganisationMember(it) => Some(it.organisation),
            Self::Team(it) => Some(it.organisation),
            Self::TeamMember(it) => Some(it.organisation),
            Self::ServiceAccount(it) => Some(it.organisation),
            Self::AccessCredential(it) => Some(it.organisation),
            Self::Role(it) => Some(it.organisation),
            Self::Binding(it) => Some(it.organisation),
            Self::IdentityProvider(it) => Some(it.organisation),
            Self::FederatedIdentity(it) => Some(it.organisation),
            Self::Project(it) => Some(it.organisation),
        }
    }

    /// The object that it is a part of: the team of a membership, the service account of a credential, the role of a binding, the
    /// provider of a federated identity, the project above a project.
    #[must_use]
    pub fn parent(&self) -> Option<Uuid> {
        match self {
            Self::TeamMember(it) => Some(it.team.uuid()),
            Self::AccessCredential(it) => Some(it.service_account.uuid()),
            Self::Binding(it) => Some(it.role.uuid()),
            Self::FederatedIdentity(it) => Some(it.provider.uuid()),
            Self::Project(it) => it.parent.map(crate::id::ProjectId::uuid),
            Self::User(_)
            | Self::OrganisationMember(_)
            | Self::Team(_)
            | Self::ServiceAccount(_)
            | Self::Role(_)
            | Self::IdentityProvider(_) => None,
        }
    }

    /// Whom it is about: the user of a membership, to whom a binding gives, what a federated identity becomes.
    #[must_use]
    pub const fn subject(&self) -> Option<Uuid> {
        match self {
            Self::OrganisationMember(it) => Some(it.user.uuid()),
            Self::TeamMember(it) => Some(it.user.uuid()),
            Self::Binding(it) => Some(match it.to {
                BoundTo::User(id) => id.uuid(),
                BoundTo::Team(id) => id.uuid(),
                BoundTo::ServiceAccount(id) => id.uuid(),
            }),
            Self::FederatedIdentity(it) => Some(it.service_account.uuid()),
            Self::User(_)
            | Self::Team(_)
            | Self::ServiceAccount(_)
            | Self::AccessCredential(_)
            | Self::Role(_)
            | Self::IdentityProvider(_)
            | Self::Project(_) => None,
        }
    }

    /// What no other object of its kind in the organisation may have: a slug, an issuer, an access key, the user of a membership, the
    /// login of a user.
    #[must_use]
    pub fn handle(&self) -> Cow<'_, str> {
        match self {
            Self::User(it) => it.login.as_ref().map_or_else(
                || Cow::Owned(it.id.to_string()),
                |login| Cow::Owned(format!("{} {}", login.issuer, login.subject)),
            ),
            Self::OrganisationMember(it) => Cow::Owned(it.user.to_string()),
            Self::TeamMember(it) => Cow::Owned(format!("{} {}", it.team, it.user)),
            Self::Team(it) => Cow::Borrowed(&it.named.slug),
            Self::ServiceAccount(it) => Cow::Borrowed(&it.named.slug),
            Self::AccessCredential(it) => Cow::Borrowed(&it.access_key),
            Self::Role(it) => Cow::Borrowed(&it.named.slug),
            Self::Binding(it) => Cow::Borrowed(&it.named.slug),
            Self::IdentityProvider(it) => Cow::Borrowed(&it.issuer),
            Self::FederatedIdentity(it) => Cow::Borrowed(&it.named.slug),
            Self::Project(it) => Cow::Borrowed(&it.named.slug),
        }
    }
}
