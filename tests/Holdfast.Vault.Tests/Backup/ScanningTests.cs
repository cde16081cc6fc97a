using System.Text;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Testing;
using Holdfast.Vault.Tests.Faults;

namespace Holdfast.Vault.Tests.Backup;

/// <summary>
/// Goal: the stages, which run ahead of each other as far as they may, always come to an end, with the reason for which the
/// first of them failed. Each wait that a mistake would make endless has a deadline.
/// </summary>
public sealed class ScanningTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private readonly BackupWorld world = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => world.Dispose();

    /// <summary>More entries than may lie listed, in one directory, beside it, before it and deep below it.</summary>
    [Theory]
    [InlineData("a")]
    [InlineData("m")]
    [InlineData("z")]
    public async Task ADirectoryOfMoreEntriesThanMayLieAheadBesideDeepOnesComesThrough(string huge)
    {
        const int entries = 40_000, depth = 200;
        string deep = "k";
        for (int i = 0; i < depth; i++)
        {
            world.Write($"{deep}/f", [(byte)i]);
            deep += "/k";
        }

        world.Write($"{huge}/one", [1]);
        var filled = new InterceptedTree(world.Tree)
        {
            AfterScan = scan =>
            {
                if (scan.Count != 1 || !scan.NameOf(0).Span.SequenceEqual("one"u8)) return;
                // Pipes with a second of life behind them: nothing that must be read.
                NodeAttributes pipe = scan.AttributesOf(0);
                pipe.Kind = NodeKind.Socket;
                for (int i = 0; i < entries; i++) scan.Add(Encoding.UTF8.GetBytes($"s{i}"), pipe);
            },
        };

        BackupSummary summary = await world.BackupAsync(filled).WaitAsync(Deadline, Token);

        Assert.Equal((depth + 1, depth + 2), (summary.Counts.Files, summary.Counts.Directories));
        Assert.Equal(entries, world.Notices.Count);
        await world.AssertIsSourceAsync();
    }

    [Fact]
    public async Task ManyEmptyDirectoriesComeThroughAndAreKept()
    {
        for (int i = 0; i < 600; i++) Directory.CreateDirectory(Path.Combine(world.Source, $"d{i % 50}/e{i}/f"));

        BackupSummary first = await world.BackupAsync().WaitAsync(Deadline, Token);
        BackupSummary second = await world.BackupAsync().WaitAsync(Deadline, Token);

        Assert.Equal(1 + 50 + 600 + 600, first.Counts.Directories);
        Assert.Equal((first.Counts.Directories, 0L), (second.Counts.Directories, second.Counts.BytesAdded));
        using OpenVault vault = await world.OpenAsync();
        TreeCompare.AssertEqual(TreeSnapshot.Take(world.Source), await world.RestoreAsync(vault, "target"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public async Task WhatEndsTheScannerEndsTheBackupAsTheErrorThatItWas(int after)
    {
        for (int i = 0; i < 20; i++) world.Write($"d{i:00}/f", [(byte)i]);
        int scanned = 0;
        var failing = new InterceptedTree(world.Tree) { AfterScan = _ => ThrowIf(scanned++ == after) };
        using OpenVault vault = await world.OpenAsync();

        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => world.BackupAsync(vault, failing).WaitAsync(Deadline, Token));

        Assert.Empty(await RestorePoints.ListAsync(vault, Token));
        Assert.DoesNotContain(world.Store.Names, name => name.StartsWith("leases/", StringComparison.Ordinal));
    }

    /// <summary>The scanner stands at its bound when the opener fails: it must not stand there for ever.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhenTheVaultCannotBeOpenedTheScannerStopsAndTheReasonIsTheOpeners(bool isCancelled)
    {
        world.Write("one/one", [1]);
        world.Write("two/two", [1]);
        using var cancellation = new CancellationTokenSource();
        var filled = new TaskCompletionSource();
        int calls = 0, callsAtEnd;
        var source = new InterceptedTree(world.Tree)
        {
            AfterScan = scan =>
            {
                NodeAttributes socket = default;
                socket.Kind = NodeKind.Socket;
                if (++calls > 1)
                {
                    for (int i = 0; i < 50_000; i++) scan.Add(Encoding.UTF8.GetBytes($"s{i}"), socket);
                }

                if (calls == 2) filled.TrySetResult();
            },
        };

        Task<BackupSummary> backup = BackupRun.RunAsync(
            TimeProvider.System,
            async token =>
            {
                await filled.Task.WaitAsync(Deadline, token);
                if (!isCancelled) throw new HoldfastException(ErrorKind.Refused, "the wrong password", null);
                await cancellation.CancelAsync();
                token.ThrowIfCancellationRequested();
                throw new InvalidOperationException("the token is not cancelled");
            },
            world.Request(source), cancellation.Token);

        if (isCancelled) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => backup.WaitAsync(Deadline, Token));
        else Assert.Equal("the wrong password", (await Assert.ThrowsAsync<HoldfastException>(() => backup.WaitAsync(Deadline, Token))).Message);
        // It had come to the bound in the second directory, and never listed the third.
        callsAtEnd = calls;
        Assert.Equal(2, callsAtEnd);
    }

    /// <summary>Wherever it is stopped, it ends, and the next one has everything.</summary>
    [Fact]
    public async Task CancellingWhileItIsListedOrReadEndsIt()
    {
        for (int i = 0; i < 300; i++) world.Write($"d{i % 30:00}/f{i}", TestKeys.Content(100 + i));
        world.Write("large", TestKeys.Content(3 << 20));
        foreach (int at in (int[])[1, 5, 40, 200, 303])
        {
            using var cancellation = new CancellationTokenSource();
            int calls = 0;
            void Count()
            {
                if (Interlocked.Increment(ref calls) == at) cancellation.Cancel();
            }

            var source = new InterceptedTree(world.Tree) { AfterScan = _ => Count(), BeforeRead = _ => Count() };
            using OpenVault vault = await world.OpenAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(
                () => BackupRun.RunAsync(vault, world.Request(source) with { Workers = 2 }, cancellation.Token).WaitAsync(Deadline, Token));
            Assert.Empty(await RestorePoints.ListAsync(vault, Token));
        }

        await world.BackupAsync();
        await world.AssertIsSourceAsync();
    }

    private static void ThrowIf(bool condition)
    {
        if (condition) throw new InvalidTimeZoneException("thrown by the source");
    }
}
