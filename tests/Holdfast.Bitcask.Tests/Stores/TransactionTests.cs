using System.Text;
using Holdfast.Testing;

namespace Holdfast.Bitcask.Tests.Stores;

public sealed class TransactionTests : IDisposable
{
    private readonly SimulatedHost host = SimulatedHost.Create(1);
    private readonly BitcaskStore store;

    public TransactionTests()
    {
        store = BitcaskStore.Open(host, "/kv", StoreTesting.Small);
        store.Put("a", "1");
        store.Put("b", "1");
    }

    public void Dispose() => store.Dispose();

    [Fact]
    public void WhatItChangedItReads()
    {
        Transaction transaction = store.BeginTransaction();
        transaction.Put(StoreTesting.Bytes("a"), StoreTesting.Bytes("2"));
        transaction.Delete(StoreTesting.Bytes("b"));
        Assert.Equal("2", Get(transaction, "a"));
        Assert.Null(Get(transaction, "b"));
        Assert.Equal("a=1 b=1 ", StoreTesting.Describe(store));

        Assert.True(transaction.TryCommit());

        Assert.Equal("a=2 ", StoreTesting.Describe(store));
    }

    [Fact]
    public void AChangeOfWhatItReadFailsIt()
    {
        Transaction transaction = store.BeginTransaction();
        _ = Get(transaction, "a");
        transaction.Put(StoreTesting.Bytes("c"), StoreTesting.Bytes("x"));
        // The same value is a change, too.
        store.Put("a", "1");

        Assert.False(transaction.TryCommit());
        Assert.Null(store.Get("c"));
        Assert.Throws<InvalidOperationException>(() => transaction.TryCommit());
    }

    [Fact]
    public void ADeleteAndAPutOfWhatItReadFailIt()
    {
        Transaction transaction = store.BeginTransaction();
        _ = Get(transaction, "a");
        store.Delete("a");
        store.Put("a", "1");
        Assert.False(transaction.TryCommit());
    }

    [Fact]
    public void WhatItFoundAbsentMustStayAbsent()
    {
        Transaction first = store.BeginTransaction();
        Transaction second = store.BeginTransaction();
        Assert.Null(Get(first, "new"));
        Assert.Null(Get(second, "new"));
        first.Put(StoreTesting.Bytes("new"), StoreTesting.Bytes("first"));
        second.Put(StoreTesting.Bytes("new"), StoreTesting.Bytes("second"));

        Assert.True(first.TryCommit());
        Assert.False(second.TryCommit());
        Assert.Equal("first", store.Get("new"));
    }

    /// Each reads both and changes one: done one after the other, one of them would have seen the other's change.
    [Fact]
    public void TwoThatReadWhatTheOtherWritesDoNotBothCommit()
    {
        Transaction first = store.BeginTransaction();
        Transaction second = store.BeginTransaction();
        foreach (Transaction each in (Transaction[])[first, second])
        {
            _ = Get(each, "a");
            _ = Get(each, "b");
        }

        first.Put(StoreTesting.Bytes("a"), StoreTesting.Bytes("0"));
        second.Put(StoreTesting.Bytes("b"), StoreTesting.Bytes("0"));

        Assert.True(first.TryCommit());
        Assert.False(second.TryCommit());
        Assert.Equal("a=0 b=1 ", StoreTesting.Describe(store));
    }

    [Fact]
    public void WritesThatItDidNotReadDoNotFailIt()
    {
        Transaction transaction = store.BeginTransaction();
        _ = Get(transaction, "a");
        transaction.Put(StoreTesting.Bytes("b"), StoreTesting.Bytes("2"));
        store.Put("b", "other");
        Assert.True(transaction.TryCommit());
        Assert.Equal("2", store.Get("b"));
    }

    [Fact]
    public void AMergeOfWhatItReadDoesNotFailIt()
    {
        Transaction transaction = store.BeginTransaction();
        _ = Get(transaction, "a");
        transaction.Put(StoreTesting.Bytes("b"), StoreTesting.Bytes("2"));
        store.Put("other", "x");
        store.Delete("other");
        store.Merge(MergeScope.All);
        Assert.True(transaction.TryCommit());
    }

    [Fact]
    public void AKeyThatExpiresMeanwhileFailsIt()
    {
        store.Put(StoreTesting.Bytes("short"), StoreTesting.Bytes("x"), host.Clock.GetUtcNow().AddSeconds(10));
        Transaction transaction = store.BeginTransaction();
        Assert.Equal("x", Get(transaction, "short"));
        transaction.Put(StoreTesting.Bytes("b"), StoreTesting.Bytes("2"));
        host.Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.False(transaction.TryCommit());
    }

    [Fact]
    public void CountersThatThreadsIncreaseInTransactionsMissNothing()
    {
        const int Threads = 4;
        const int Increments = 100;
        store.Put("counter", "0");
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(_ => new Thread(() =>
        {
            for (int done = 0; done < Increments;)
            {
                Transaction transaction = store.BeginTransaction();
                int value = int.Parse(Get(transaction, "counter")!, System.Globalization.CultureInfo.InvariantCulture);
                transaction.Put(StoreTesting.Bytes("counter"), StoreTesting.Bytes($"{value + 1}"));
                if (transaction.TryCommit()) done++;
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();

        Assert.Equal($"{Threads * Increments}", store.Get("counter"));
    }

    private static string? Get(Transaction transaction, string key) =>
        transaction.Get(StoreTesting.Bytes(key)) is { } value ? Encoding.UTF8.GetString(value) : null;
}
