/** Where the servers are that the specs talk to. */
export const postgresUrl = process.env['EVENTFOLD_POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/test';
export const mysqlUrl = process.env['EVENTFOLD_MYSQL_URL'] ?? 'mysql://root@127.0.0.1:3306/test';
