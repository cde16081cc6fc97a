using System.Text;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Exporting;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Tests.Exporting;

public class ExportFormatTests
{
    [Fact]
    public void TheWorkedExampleOfTheFormatPageIsWhatTheCodeWrites()
    {
        Assert.Equal(Convert.ToHexStringLower(ReadExample()), Convert.ToHexStringLower(WriteExample()));
    }

    [Fact]
    public void WhatIsWrittenIsReadBack()
    {
        byte[] frame = WriteExample();

        List<ExportRecord> records = ExportCodec.Decode(frame, "test");

        Assert.Equal(6, records.Count);
        Assert.Equal("h", Assert.IsType<ManifestRecord>(records[0]).Host);
        StepRecord step = Assert.IsType<StepRecord>(records[1]);
        Assert.Equal((StepAction.Write, "a", ChangeKind.Added), (step.Action, Encoding.UTF8.GetString(step.Path), step.Change));
        Assert.Equal("hi", Encoding.UTF8.GetString(Assert.IsType<DataRecord>(records[2]).Data.Span));
        Assert.Equal(new EndRecord(2, 2), records[5]);
    }

    [Fact]
    public void ThePointIsReadBack()
    {
        var writer = new ByteWriter();
        var origin = new PointOrigin(new string('b', 32), new SessionId(3, 4));
        ExportCodec.Encode(writer, new PointRecord(NewPoint(), origin, IsDirectory: true));
        ExportCodec.Encode(writer, new PointRecord(NewPoint(), null, IsDirectory: false));

        List<ExportRecord> records = ExportCodec.Decode(writer.ToArray(), "test");

        PointRecord one = Assert.IsType<PointRecord>(records[0]), two = Assert.IsType<PointRecord>(records[1]);
        Assert.Equal((origin, true, null, false), (one.BaseOrigin, one.IsDirectory, two.BaseOrigin, two.IsDirectory));
        Assert.Equal((NewPoint().Origin, "h", NewPoint().Counts), (one.Origin, one.Point.Host, one.Point.Counts));
        Assert.Equal(["t"], one.Point.Tags);
    }

    /// Random changes of a good frame, and random bytes: refused as damage, or read; never another failure.
    [Fact]
    public void HostileRecordsAreRefused()
    {
        byte[] good = WriteExample();
        var random = new Random(9);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] frame = [.. good[..random.Next(good.Length + 1)]];
            for (int flips = random.Next(4); flips > 0 && frame.Length > 0; flips--) frame[random.Next(frame.Length)] = (byte)random.Next(256);
            try
            {
                ExportCodec.Decode(frame, "test");
            }
            catch (HoldfastException error)
            {
                Assert.Equal(ErrorKind.Damage, error.Kind);
            }
        }
    }

    [Theory, InlineData("../a"), InlineData("/a"), InlineData("a/../b"), InlineData("a//b"), InlineData("."), InlineData("a/"), InlineData("a\0")]
    public void APathThatCouldLeadOutOfTheTargetIsRefused(string path)
    {
        var writer = new ByteWriter();
        ExportCodec.Encode(writer, new StepRecord(StepAction.DeleteDirectory, Encoding.UTF8.GetBytes(path)));

        HoldfastException error = Assert.Throws<HoldfastException>(() => ExportCodec.Decode(writer.ToArray(), "test"));

        Assert.Equal(ErrorKind.Damage, error.Kind);
    }

    [Fact]
    public void PlacesComeInTheOrderOfAWalk()
    {
        // "-" comes before "/" among bytes, but after it in a walk.
        (string Path, bool IsLeave)[] walk =
        [
            ("", false), ("a", false), ("a/b", false), ("a/b", true), ("a/c", false), ("a", true), ("a-", false), ("a-b", false),
            ("ab", false), ("ab/a", false), ("ab", true), ("b", false), ("", true),
        ];
        StepPlace[] places = [.. walk.Select(place => new StepPlace(Encoding.UTF8.GetBytes(place.Path), place.IsLeave))];
        for (int i = 0; i < places.Length; i++)
        {
            for (int j = 0; j < places.Length; j++) Assert.Equal(i.CompareTo(j), Math.Sign(places[i].CompareTo(places[j])));
        }
    }

    [Theory, InlineData(0), InlineData(1), InlineData(65535), InlineData(65536), InlineData(65537), InlineData(1_000_000)]
    public void TheDigestOfContentDoesNotDependOnPiecesOrHoles(int length)
    {
        byte[] content = new byte[length];
        var random = new Random(length);
        for (int start = 0; start < length; start += 100_000) random.NextBytes(content.AsSpan(start, Math.Min(40_000, length - start)));
        using var whole = new ContentDigest();
        whole.Append(content);
        byte[] expected = whole.Finish();

        using var pieces = new ContentDigest();
        for (int round = 0; round < 3; round++)
        {
            for (int at = 0; at < length;)
            {
                int piece = Math.Min(length - at, random.Next(1, 90_000));
                ReadOnlySpan<byte> part = content.AsSpan(at, piece);
                int zeros = part.IndexOfAnyExcept((byte)0) is var first and >= 0 ? first : piece;
                if (zeros > 0) pieces.AppendZeros(zeros);
                pieces.Append(part[zeros..]);
                at += piece;
            }

            Assert.Equal(length, pieces.Length);
            Assert.Equal(expected, pieces.Finish());
        }

        whole.Append([.. content, 0]);
        Assert.NotEqual(expected, whole.Finish());
    }

    internal static RestorePoint NewPoint() => new()
    {
        Id = SessionId.None,
        Time = DateTimeOffset.UnixEpoch.AddDays(20_000),
        Received = default,
        EffectiveTime = default,
        Kind = PointKind.Incremental,
        Base = new SessionId(1, 2),
        Host = "h",
        Roots = ["/r"u8.ToArray()],
        Tags = ["t"],
        Program = "p",
        Counts = new BackupCounts { Files = 1, Bytes = 2 },
        Origin = new PointOrigin(new string('a', 32), new SessionId(0, 1)),
    };

    private static byte[] WriteExample()
    {
        var writer = new ByteWriter();
        ExportCodec.Encode(writer, new ManifestRecord
        {
            Point = SessionId.Decode(Enumerable.Repeat((byte)1, SessionId.Size).ToArray()),
            Base = SessionId.None,
            Time = default,
            Host = "h",
            Program = "p",
            Roots = ["/r"u8.ToArray()],
        });
        var file = new NodeAttributes { Kind = NodeKind.Regular, Mode = 0x1A4, Size = 2, ModifyTime = new UnixTime(2, 0) };
        var top = new NodeAttributes { Kind = NodeKind.Directory, Mode = 0x1ED, ModifyTime = new UnixTime(1, 0) };
        ExportCodec.Encode(writer, new StepRecord(StepAction.Write, "a"u8.ToArray())
        {
            Change = ChangeKind.Added,
            After = new TreeEntry { Name = "a"u8.ToArray(), Attributes = file },
        });
        ExportCodec.EncodeData(writer, "hi"u8, 1);
        using var digest = new ContentDigest();
        digest.Append("hi"u8);
        ExportCodec.Encode(writer, new ContentEndRecord(digest.Finish()));
        ExportCodec.Encode(writer, new StepRecord(StepAction.FinishDirectory, []) { After = new TreeEntry { Name = [], Attributes = top } });
        ExportCodec.Encode(writer, new EndRecord(2, 2));
        return writer.ToArray();
    }

    private static byte[] ReadExample()
    {
        string directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Holdfast.slnx"))) directory = Path.GetDirectoryName(directory)!;
        string page = File.ReadAllText(Path.Combine(directory, "docs/formats/export.md"));
        string example = page[page.IndexOf("```\n", StringComparison.Ordinal)..].Split("```")[1];
        var hex = new StringBuilder();
        // Behind three spaces stands what the bytes mean.
        foreach (string line in example.Split('\n')) hex.Append(line.TrimStart().Split("   ")[0].Replace(" ", "", StringComparison.Ordinal));
        return Convert.FromHexString(hex.ToString());
    }
}
