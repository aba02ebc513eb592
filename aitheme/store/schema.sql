-- The store: one DuckDB file per snapshot. Prices in the trading currency, volume in shares, returns as ratios.
-- close x adj_factor is the total-return level. Bulk tables carry no index: their keys are checked before a merge.
CREATE TABLE meta (key VARCHAR PRIMARY KEY, value VARCHAR NOT NULL);
CREATE TABLE sessions (exchange VARCHAR NOT NULL, session DATE NOT NULL);
CREATE TABLE securities (
    symbol VARCHAR PRIMARY KEY, name VARCHAR, currency VARCHAR, board VARCHAR, industry VARCHAR, listed DATE,
    delisted DATE, total_shares DOUBLE, float_shares DOUBLE, shares_as_of DATE, st BOOLEAN
);
CREATE TABLE bars (
    symbol VARCHAR NOT NULL, session DATE NOT NULL, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE NOT NULL,
    volume DOUBLE, amount DOUBLE, turnover DOUBLE, adj_factor DOUBLE NOT NULL, quality TINYINT NOT NULL
);
CREATE TABLE indices (symbol VARCHAR PRIMARY KEY, name VARCHAR, provider VARCHAR, level TINYINT);
CREATE TABLE index_bars (
    symbol VARCHAR NOT NULL, session DATE NOT NULL, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE NOT NULL,
    amount DOUBLE, pe_trailing DOUBLE
);
CREATE TABLE factors (factor VARCHAR NOT NULL, session DATE NOT NULL, value DOUBLE NOT NULL);
CREATE TABLE consensus (
    symbol VARCHAR NOT NULL, fiscal_year SMALLINT NOT NULL, kind VARCHAR NOT NULL, eps DOUBLE NOT NULL, currency VARCHAR,
    analysts SMALLINT, source VARCHAR NOT NULL, published DATE NOT NULL
);
CREATE TABLE capex (symbol VARCHAR NOT NULL, quarter_end DATE NOT NULL, capex DOUBLE NOT NULL, currency VARCHAR NOT NULL);
CREATE TABLE refresh_run (
    run_id VARCHAR PRIMARY KEY, source VARCHAR NOT NULL, started TIMESTAMP NOT NULL, finished TIMESTAMP,
    universe VARCHAR NOT NULL, since DATE, until DATE, fingerprint VARCHAR, status VARCHAR NOT NULL, details JSON
);
CREATE TABLE dataset_run (
    run_id VARCHAR NOT NULL, dataset VARCHAR NOT NULL, origin VARCHAR, received BIGINT NOT NULL, inserted BIGINT NOT NULL,
    changed BIGINT NOT NULL, quarantined BIGINT NOT NULL, notes JSON
);
CREATE TABLE quarantine (
    run_id VARCHAR NOT NULL, dataset VARCHAR NOT NULL, symbol VARCHAR, session DATE, reason VARCHAR NOT NULL, raw JSON
);
