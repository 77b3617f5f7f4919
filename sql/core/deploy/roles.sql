-- The roles a token can name in every installation. They hold no right by themselves: each data set grants its own.
CREATE ROLE IF NOT EXISTS anon;
CREATE ROLE IF NOT EXISTS authenticated;
CREATE ROLE IF NOT EXISTS service_role;
