package store

import (
	"context"
	"hash/fnv"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
)

// watchLead is how often who leads makes sure that it still does.
const watchLead = 5 * time.Second

// Lead runs fn while nobody else does under the same name, in any process on this database; led is false where somebody
// does. The lock belongs to a connection of its own, to MigrateURL, because it does not hold through a transaction-mode
// pooler. If the connection is lost, and the lock with it, the context of fn ends.
func (s *Store) Lead(ctx context.Context, name string, fn func(ctx context.Context) error) (led bool, err error) {
	config, err := parseURL(s.config.MigrateURL)
	if err != nil {
		return false, err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return false, translate(err)
	}
	// Also after ctx has ended: a statement that is cut off takes its connection along, and then the lock goes when the
	// server notices.
	lasting := context.WithoutCancel(ctx)
	defer conn.Close(lasting)
	if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", leadKey(name)).Scan(&led); err != nil || !led {
		return false, translate(err)
	}
	leading, stop := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		defer stop()
		for {
			select {
			case <-leading.Done():
				return
			case <-time.After(watchLead):
			}
			ping, cancel := context.WithTimeout(lasting, watchLead)
			err := conn.Ping(ping)
			cancel()
			if err != nil {
				return
			}
		}
	}()
	err = fn(leading)
	stop()
	<-watched
	ending, cancel := context.WithTimeout(lasting, watchLead)
	defer cancel()
	_, _ = conn.Exec(ending, "SELECT pg_advisory_unlock($1)", leadKey(name)) // closing the connection does it, too, later
	return true, err
}

// Led says whether somebody runs something under Lead by that name just now.
func (s *Store) Led(ctx context.Context, name string) (led bool, err error) {
	key := uint64(leadKey(name))
	err = s.Mirror(ctx, func(tx *MirrorTx) error {
		return tx.row(`SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND classid::bigint = ? AND objid::bigint = ?)`, int64(key>>32), int64(key&math.MaxUint32)).Scan(&led)
	})
	return led, err
}

func leadKey(name string) int64 {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte("tenantry " + name))
	return int64(hash.Sum64())
}
