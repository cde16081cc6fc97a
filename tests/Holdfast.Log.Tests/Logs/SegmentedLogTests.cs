using System.Text;
using Holdfast.Testing;

namespace Holdfast.Log.Tests.Logs;

public sealed class SegmentedLogTests
{
    private static readonly LogOptions Small = new() { Purpose = "test", SegmentBytes = 4096, BufferBytes = 1024 };

    [Theory]
    [InlineData(Durability.None)]
    [InlineData(Durability.Group)]
    [InlineData(Durability.Each)]
    public void WhatWasAppendedIsReadAgain(Durability durability)
    {
        Host host = SimulatedHost.Create(1);
        var expected = new List<string>();
        for (int round = 0; round < 3; round++)
        {
            var replayed = new List<string>();
            using SegmentedLog log = SegmentedLog.Open(
                host, "/log", Small with { Durability = durability }, _ => (_, payload) => replayed.Add(Encoding.UTF8.GetString(payload)));
            Assert.Empty(log.Damages);
            Assert.Null(log.TornTail);
            Assert.Equal(expected.TakeLast(replayed.Count), replayed);
            for (int i = 0; i < 200; i++)
            {
                string text = $"{round}-{i}-{new string('x', i * 7 % 300)}";
                expected.Add(text);
                log.Append(Encoding.UTF8.GetBytes(text));
            }

            string big = new('y', 6000);
            expected.Add(big);
            log.Append(Encoding.UTF8.GetBytes(big));
            Assert.Equal(expected, ReadAll(log));
        }
    }

    private static List<string> ReadAll(SegmentedLog log)
    {
        using LogReader reader = log.OpenReader(default, LogReadBound.Appended);
        var found = new List<string>();
        while (reader.TryRead())
        {
            Assert.Null(reader.Damage);
            found.Add(Encoding.UTF8.GetString(reader.Payload));
        }

        return found;
    }
}
