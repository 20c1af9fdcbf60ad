-- People take away ways to sign in that they have linked themselves; the issuer keeps the last one.
GRANT DELETE ON identity TO hexabase_issuer;
