using System.Globalization;
using System.Text;
using Holdfast.Testing;

namespace Holdfast.System.Tests;

/// Goal: a source that changes wildly while it is read costs nothing but what changes, and leads nowhere else.
/// Method: a thread creates, grows, cuts, renames, deletes, and swaps directories for symlinks to a place outside, from a seed, while
/// backups run beside it. What stands still must be restored as it is; what lies outside must be in no point.
public sealed class ChangingSourceTests : IDisposable
{
    private const string Secret = "what lies outside of the source";
    private readonly SystemFixture world = new();

    public void Dispose() => world.Dispose();

    [Fact]
    public Task WhatStandsStillIsRestoredAndNothingOutsideIsRead() => RunAsync(seed: 20_260_101, backups: 4);

    [Theory, InlineData(1), InlineData(2), Trait("Category", "Long")]
    public Task WhatStandsStillIsRestoredAndNothingOutsideIsReadForLong(int seed) => RunAsync(seed, backups: 40);

    private async Task RunAsync(int seed, int backups)
    {
        string outside = world.PathOf("outside");
        for (int i = 0; i < 20; i++)
        {
            Directory.CreateDirectory(Path.Combine(outside, $"e{i % 3}"));
            File.WriteAllText(Path.Combine(outside, $"e{i % 3}", $"private{i}"), Secret);
            File.WriteAllText(Path.Combine(outside, $"f{i}"), Secret);
        }

        // Before and behind the wild part, as the walk goes.
        foreach (string place in (string[])["a", "z"])
        {
            for (int i = 0; i < 300; i++) world.WriteRandom($"{place}/still{i % 10}/{i}", i, 1000 + (i * 10));
            world.WriteRandom($"{place}/large", 1, 8 << 20);
        }

        await world.InitAsync();
        var wild = new WildTree(Path.Combine(world.Source, "m"), outside, seed);
        TreeSnapshot still = Still(world.Source);
        using var stop = new CancellationTokenSource();
        var changing = new Thread(() => wild.Run(stop.Token));
        changing.Start();
        try
        {
            for (int i = 0; i < backups; i++)
            {
                string about = $"seed {seed}, backup {i}";
                HoldfastResult backup = await world.RunAsync("backup", world.Source, "--json");
                Assert.True(backup.Code is 0 or 3, $"{about}: {backup}");
                string[] errors = [.. backup.Records("error").Select(error => error.GetProperty("path").GetString()!)];
                Assert.True(backup.Code == 3 == errors.Length > 0, $"{about}: {backup}");
                Assert.All(errors, path => Assert.StartsWith(Path.Combine(world.Source, "m"), path, StringComparison.Ordinal));
            }
        }
        finally
        {
            await stop.CancelAsync();
            changing.Join();
        }

        Assert.True(wild.Swaps > backups, $"seed {seed}: only {wild.Swaps} directories became links");
        await world.ExpectAsync(0, "check", "--read-data");
        foreach (string point in await world.PointsAsync())
        {
            string target = world.PathOf("to-" + point);
            await world.ExpectAsync(0, "restore", point, "--to", target, "--verify");
            TreeCompare.AssertEqual(still, Still(target), new TreeCompareOptions { IgnoreRootAttributes = true });
            foreach (string file in Directory.EnumerateFiles(Path.Combine(target, "m"), "*", WildTree.WithoutLinks))
            {
                Assert.False(Path.GetFileName(file).StartsWith("private", StringComparison.Ordinal), $"seed {seed}: {file} came from outside");
                Assert.False(File.ReadAllText(file, Encoding.Latin1).Contains(Secret, StringComparison.Ordinal), $"seed {seed}: {file} holds what lies outside");
            }

            TreeGenerator.Delete(target);
        }

        // What is at rest again is backed up as it is.
        await world.BackupAsync();
        await world.ExpectRestoredAsync("latest", TreeSnapshot.Take(world.Source));
    }

    /// All but the wild part.
    private static TreeSnapshot Still(string root)
    {
        // The snapshot of the whole would be of a moment that there is not.
        string view = root + "-still";
        Directory.CreateDirectory(view);
        try
        {
            foreach (string place in (string[])["a", "z"]) Directory.Move(Path.Combine(root, place), Path.Combine(view, place));
            return TreeSnapshot.Take(view);
        }
        finally
        {
            foreach (string place in (string[])["a", "z"]) Directory.Move(Path.Combine(view, place), Path.Combine(root, place));
            Directory.Delete(view);
        }
    }

    /// A tree that one thread changes all the time.
    private sealed class WildTree
    {
        public static readonly EnumerationOptions WithoutLinks =
            new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };

        private readonly string root;
        private readonly string outside;
        private readonly Random random;

        public WildTree(string root, string outside, int seed)
        {
            this.root = root;
            this.outside = outside;
            random = new Random(seed);
            for (int i = 0; i < 400; i++) WriteNew(Directory.CreateDirectory(Path.Combine(root, $"d{i % 20}", $"e{i % 3}")).FullName);
        }

        /// How many directories became links so far.
        public int Swaps { get; private set; }

        public void Run(CancellationToken stop)
        {
            while (!stop.IsCancellationRequested)
            {
                string directory = Path.Combine(root, $"d{random.Next(20)}");
                // A second directory that is a link leads outside: there nothing must be changed.
                if (IsLink(directory))
                {
                    File.Delete(directory);
                    if (Directory.Exists(directory + ".away")) Directory.Move(directory + ".away", directory);
                }
                else
                {
                    Directory.CreateDirectory(directory);
                    Change(directory);
                }

                // Leaves the processor to the backup now and then.
                if (random.Next(4) == 0) stop.WaitHandle.WaitOne(1);
            }

            // At rest: whole directories again.
            for (int i = 0; i < 20; i++)
            {
                string directory = Path.Combine(root, $"d{i}");
                if (!IsLink(directory)) continue;
                File.Delete(directory);
                Directory.Move(directory + ".away", directory);
            }
        }

        private void Change(string directory)
        {
            string inner = Path.Combine(directory, $"e{random.Next(3)}");
            string[] files = Directory.Exists(inner) ? Directory.GetFiles(inner) : [];
            string? file = files.Length == 0 ? null : files[random.Next(files.Length)];
            // Through a link something outside would be changed.
            if (file is not null && IsLink(file)) file = null;
            switch (random.Next(8))
            {
                case 0:
                    Directory.Move(directory, directory + ".away");
                    Directory.CreateSymbolicLink(directory, outside);
                    Swaps++;
                    break;
                case 1 when Directory.Exists(inner):
                    Directory.Delete(inner, recursive: true);
                    break;
                case 2 when file is not null:
                    File.Delete(file);
                    break;
                case 3 when file is not null:
                    File.Move(file, Path.Combine(inner, NewName()), overwrite: true);
                    break;
                case 4 when file is not null:
                    using (FileStream stream = File.OpenWrite(file)) stream.SetLength(random.Next(200_000));
                    break;
                case 5 when file is not null:
                    File.AppendAllText(file, new string('x', random.Next(50_000)));
                    break;
                case 6 when file is not null:
                    File.Delete(file);
                    File.CreateSymbolicLink(file, Path.Combine(outside, $"f{random.Next(20)}"));
                    break;
                default:
                    WriteNew(Directory.CreateDirectory(inner).FullName);
                    break;
            }
        }

        private void WriteNew(string directory)
        {
            byte[] content = new byte[random.Next(30_000)];
            random.NextBytes(content);
            File.WriteAllBytes(Path.Combine(directory, NewName()), content);
        }

        private string NewName() => string.Create(CultureInfo.InvariantCulture, $"n{random.Next(1_000_000)}");

        private static bool IsLink(string path) => new FileInfo(path).LinkTarget is not null;
    }
}
