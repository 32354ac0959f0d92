package servertest

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
)

func TestPostgres(t *testing.T) {
	prepared := 0
	prepare := func(ctx context.Context, url string) error {
		prepared++
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, "CREATE TABLE things (n BIGINT)")
		return err
	}
	for range 2 { // what the first wrote is not in the second
		conn, err := pgx.Connect(t.Context(), Postgres(t, "things", prepare))
		if err != nil {
			t.Fatal(err)
		}
		var n int
		if _, err := conn.Exec(t.Context(), "INSERT INTO things VALUES (1)"); err != nil {
			t.Error(err)
		}
		if err := conn.QueryRow(t.Context(), "SELECT COUNT(*) FROM things").Scan(&n); err != nil || n != 1 {
			t.Errorf("got %d, %v", n, err)
		}
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if prepared != 1 {
		t.Errorf("prepared %d times", prepared)
	}
}

func TestRedis(t *testing.T) {
	r := StartRedis(t)
	options, err := redis.ParseURL(r.URL())
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(options)
	defer c.Close()
	if err := c.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	r.Kill()
	if err := c.Get(t.Context(), "k").Err(); err == nil || errors.Is(err, redis.Nil) {
		t.Errorf("it lives: %v", err)
	}
	r.Start()
	if err := c.Get(t.Context(), "k").Err(); !errors.Is(err, redis.Nil) {
		t.Errorf("it remembers: %v", err)
	}
}

func TestRedisCluster(t *testing.T) {
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{StartRedisCluster(t).Addr()}})
	defer c.Close()
	if err := c.Eval(t.Context(), "return redis.call('SET', KEYS[1], ARGV[1])", []string{"{a}k"}, "v").Err(); err != nil {
		t.Error(err)
	}
	if err := c.Eval(t.Context(), "return 1", []string{"{a}k", "{b}k"}).Err(); err == nil {
		t.Error("keys of two slots were taken")
	}
}
