mod answers;
mod browse;
mod directory;
mod keys;
mod secrets;
mod setup;
mod tenancy;
mod tokens;
