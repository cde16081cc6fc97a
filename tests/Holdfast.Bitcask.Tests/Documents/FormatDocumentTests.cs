using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Holdfast.Bitcask.Tests.Stores;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Bitcask.Tests.Documents;

/// The worked example of docs/formats/bitcask.md is what the code writes, byte by byte.
public sealed class FormatDocumentTests
{
    private const int BytesPerLine = 16;

    [Fact]
    public void TheWorkedExampleIsWhatIsWritten()
    {
        var disk = new SimulatedDisk(seed: 1);
        var host = new Host(disk, new SimulatedClock(), new CountingEntropy());
        using (BitcaskStore store = BitcaskStore.Open(host, "/kv", StoreTesting.Small with { SealAtCloseBytes = 1 }))
        {
            store.Put("k", "v");
            store.Delete("k");
        }

        string example = $"`00000001.log`:\n\n```\n{Dump(disk, "/kv/00000001.log")}```\n\n`00000001.hint`:\n\n```\n{Dump(disk, "/kv/00000001.hint")}```\n";

        string document = File.ReadAllText(PathOfDocument()).ReplaceLineEndings("\n");
        Assert.True(document.Contains(example, StringComparison.Ordinal), $"the document should have:\n{example}");
    }

    [Fact]
    public void TheWorkedExampleOfAnImageIsWhatIsWritten()
    {
        var disk = new SimulatedDisk(seed: 1);
        var host = new Host(disk, new SimulatedClock(), new CountingEntropy());
        using (BitcaskStore store = BitcaskStore.Open(host, "/kv", StoreTesting.Small with { SealAtCloseBytes = 1, MinImageKeys = 1 }))
        {
            store.Put("k", "v");
        }

        string example = $"`keydir`:\n\n```\n{Dump(disk, "/kv/keydir")}```\n";

        string document = File.ReadAllText(PathOfDocument()).ReplaceLineEndings("\n");
        Assert.True(document.Contains(example, StringComparison.Ordinal), $"the document should have:\n{example}");
    }

    private static string PathOfDocument([CallerFilePath] string source = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(source)!, "../../../docs/formats/bitcask.md"));

    /// Lines of offset and 16 bytes; equal ones behind each other but for the first are a star.
    private static string Dump(SimulatedDisk disk, string path)
    {
        using IDiskFile file = disk.TryOpen(path, DiskAccess.Read)!;
        byte[] bytes = new byte[file.Length];
        _ = file.Read(0, bytes);
        var text = new StringBuilder();
        string last = "";
        bool isStarred = false;
        for (int at = 0; at < bytes.Length; at += BytesPerLine)
        {
            string line = string.Join(
                ' ', bytes.Skip(at).Take(BytesPerLine).Select(b => b.ToString("x2", CultureInfo.InvariantCulture)));
            if (line == last)
            {
                if (!isStarred) text.Append("*\n");
                isStarred = true;
                continue;
            }

            text.Append(CultureInfo.InvariantCulture, $"{at:x4}  {line}\n");
            last = line;
            isStarred = false;
        }

        return text.ToString();
    }

    /// Fills with 11, the next time with 22, and so on.
    private sealed class CountingEntropy : IEntropy
    {
        private byte last;

        public void Fill(Span<byte> target)
        {
            last += 0x11;
            target.Fill(last);
        }
    }
}
