using Holdfast.Files;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Exporting;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Tests.Exporting;
using Holdfast.Vault.Tests.Hostile;
using TreeEntry = Holdfast.Vault.Trees.TreeEntry;

namespace Holdfast.Vault.Tests.Fuzzing;

/// <summary>Exports for the fuzzer. The password is derived once: it takes a tenth of a second.</summary>
internal static class ExportSamples
{
    private static readonly Lazy<(byte[] Header, byte[] Frames, MemoryStream Stream, FrameReader Reader)> Made = new(Make);

    /// <summary>A frame with every kind of record.</summary>
    public static byte[] Records()
    {
        var writer = new ByteWriter();
        byte[] digest = TestKeys.Content(ContentDigest.Size);
        ExportCodec.Encode(writer, new ManifestRecord
        {
            Point = new SessionId(0, 1),
            Base = new SessionId(0, 2),
            Time = new UnixTime(5, 6),
            Host = "h",
            Program = "p",
            Roots = ["/r"u8.ToArray(), "/s"u8.ToArray()],
        });
        ExportCodec.Encode(writer, new PointRecord(ExportFormatTests.NewPoint(), new PointOrigin(new string('a', 32), new SessionId(0, 2)), IsDirectory: true));
        ExportCodec.Encode(writer, new UnchangedRecord("a/b"u8.ToArray(), 3, digest));
        TreeEntry file = VaultForge.File("c", Vault.Trees.ContentItem.Hole(5)), link = VaultForge.Entry("d", NodeKind.Symlink, target: "x");
        ExportCodec.Encode(writer, new StepRecord(StepAction.Write, "c"u8.ToArray())
        {
            Change = ChangeKind.Modified,
            Before = new KnownState(NodeKind.Regular, 5, default, digest, []),
            After = file,
        });
        ExportCodec.EncodeData(writer, "hi"u8, 3);
        ExportCodec.Encode(writer, new CopyRecord(10, 20, 30));
        ExportCodec.Encode(writer, new HoleRecord(1 << 20));
        ExportCodec.Encode(writer, new ContentEndRecord(digest));
        ExportCodec.Encode(writer, new StepRecord(StepAction.CreateOther, "d"u8.ToArray()) { Change = ChangeKind.Added, After = link });
        ExportCodec.Encode(writer, new StepRecord(StepAction.Link, "e"u8.ToArray()) { After = file, LinkPath = "c"u8.ToArray() });
        ExportCodec.Encode(writer, new StepRecord(StepAction.Delete, "f"u8.ToArray()) { Before = new KnownState(NodeKind.Fifo, 0, default, [], []) });
        ExportCodec.Encode(writer, new EndRecord(4, 6));
        return writer.ToArray();
    }

    public static byte[] Header() => Made.Value.Header;

    /// <summary>What follows the header.</summary>
    public static byte[] Frames() => Made.Value.Frames;

    public static async ValueTask DecodeFramesAsync(byte[] frames)
    {
        (byte[] header, _, MemoryStream stream, FrameReader reader) = Made.Value;
        stream.SetLength(header.Length);
        stream.Position = header.Length;
        stream.Write(frames);
        await foreach (byte[] frame in reader.ReadAllAsync(CancellationToken.None)) ExportCodec.Decode(frame, "test");
    }

    /// <summary>With its checksum as it is: else a changed salt would cost a derivation each time.</summary>
    public static ValueTask DecodeHeaderAsync(byte[] bytes)
    {
        if (bytes.AsSpan().SequenceEqual(Header())) return ValueTask.CompletedTask;
        using VaultSecret secret = VaultFixture.Secret();
        ExportHeader.Open(bytes, secret, "test").Dispose();
        return ValueTask.CompletedTask;
    }

    private static (byte[] Header, byte[] Frames, MemoryStream Stream, FrameReader Reader) Make()
    {
        using VaultSecret secret = VaultFixture.Secret();
        (byte[] header, Aead cipher) = ExportHeader.Create(secret, Log.Host.CreateReal());
        var stream = new MemoryStream();
        using (var writer = new FrameWriter(stream, header, cipher))
        {
            writer.BeginAsync(CancellationToken.None).GetAwaiter().GetResult();
            writer.Frame.Bytes(Records());
            writer.EndAsync(CancellationToken.None).GetAwaiter().GetResult();
        }

        byte[] frames = stream.ToArray()[header.Length..];
        stream.Position = 0;
        FrameReader reader = FrameReader.OpenAsync(stream, secret, "test", CancellationToken.None).GetAwaiter().GetResult();
        return (header, frames, stream, reader);
    }
}
